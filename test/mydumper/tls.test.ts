import { expect, test } from 'vitest';
import type { ServerConfig, TlsMode } from '../../app/config.ts';
import { tlsRefusal, toolTls, unusedAuthority } from '../../app/mydumper/tls.ts';
import { type MydumperVersion, parseVersion } from '../../app/mydumper/version.ts';

const BUILDS = {
  'classic MariaDB': 'mydumper 0.10.0, built against MySQL 10.11.14',
  'classic MySQL': 'mydumper 0.10.0, built against MySQL 8.0.36',
  'modern MariaDB': 'mydumper v1.0.1-3, built against MariaDB 10.11.19 with SSL support',
  'modern MySQL': 'mydumper v1.0.1-3, built against MySQL 9.7.4 with SSL support',
  'modern without TLS': 'mydumper v1.0.1-3, built against MySQL 9.7.4',
} as const;
type Build = keyof typeof BUILDS;

function toolOf(build: Build): MydumperVersion {
  const tool = parseVersion(BUILDS[build]);
  if (tool === undefined) throw new Error(build);
  return tool;
}

const ENCRYPTED = { encrypted: true, fingerprint: 'AB:CD:EF' };
const PLAIN = { encrypted: false, fingerprint: undefined };
const asked = (mode: TlsMode | undefined): ServerConfig['tls'] => ({ mode, caFile: '/ca.pem' });

/**
 * Flags and lines of the option file, for a server that offers TLS. Each was run: docs/mydumper.md.
 */
const OF_BUILD: Readonly<
  Record<Exclude<Build, 'modern without TLS'>, Readonly<Record<TlsMode, readonly string[]>>>
> = {
  'classic MariaDB': {
    disabled: ['ssl-verify-server-cert=0'],
    preferred: ['--ssl', 'ssl-verify-server-cert=0'],
    required: ['--ssl', 'ssl-verify-server-cert=0'],
    'verify-ca': ['--ssl', '--ca=/ca.pem', 'ssl-fp=ABCDEF'],
    'verify-full': ['--ssl', '--ca=/ca.pem', 'ssl-verify-server-cert=1'],
  },
  'classic MySQL': {
    disabled: [],
    preferred: ['--ssl'],
    required: ['--ssl'],
    'verify-ca': ['--ssl', '--ca=/ca.pem'],
    'verify-full': ['--ssl', '--ca=/ca.pem'],
  },
  'modern MariaDB': {
    disabled: ['ssl-verify-server-cert=0'],
    preferred: ['--ssl-mode=REQUIRED', 'ssl-verify-server-cert=0'],
    required: ['--ssl-mode=REQUIRED', 'ssl-verify-server-cert=0'],
    'verify-ca': ['--ssl-mode=REQUIRED', '--ca=/ca.pem', 'ssl-fp=ABCDEF'],
    'verify-full': ['--ssl-mode=VERIFY_IDENTITY', '--ca=/ca.pem', 'ssl-verify-server-cert=1'],
  },
  'modern MySQL': {
    disabled: ['--ssl-mode=DISABLED'],
    preferred: ['--ssl-mode=REQUIRED'],
    required: ['--ssl-mode=REQUIRED'],
    'verify-ca': ['--ssl-mode=VERIFY_CA', '--ca=/ca.pem'],
    'verify-full': ['--ssl-mode=VERIFY_IDENTITY', '--ca=/ca.pem'],
  },
};

const CASES = Object.entries(OF_BUILD).flatMap(([build, modes]) =>
  Object.entries(modes).map(([mode, words]) => [build as Build, mode as TlsMode, words] as const),
);

test.each(CASES)('%s gets the flags and lines for TLS_MODE=%s', (build, mode, words) => {
  const { flags, lines } = toolTls(toolOf(build), asked(mode), ENCRYPTED);
  expect([...flags, ...lines]).toEqual(words);
  expect(lines.every((line) => !line.startsWith('--'))).toBe(true);
});

test.each(Object.keys(BUILDS) as Build[])(
  '%s gets the result of our own connection when TLS is preferred',
  (build) => {
    const disabled = toolTls(toolOf(build), asked('disabled'), PLAIN);
    for (const mode of [undefined, 'preferred'] as const) {
      expect(toolTls(toolOf(build), asked(mode), PLAIN)).toEqual(disabled);
      expect(toolTls(toolOf(build), asked(mode), ENCRYPTED)).toEqual(
        toolTls(toolOf(build), asked('required'), ENCRYPTED),
      );
    }
  },
);

test("verify-ca without a fingerprint fails, so MariaDB's library never skips verification", () => {
  expect(() => toolTls(toolOf('modern MariaDB'), asked('verify-ca'), PLAIN)).toThrow(
    'is not known',
  );
});

test('a tool is refused only when it does not support the mode', () => {
  const refused = (Object.keys(BUILDS) as Build[]).flatMap((build) =>
    ([undefined, 'disabled', 'preferred', 'required', 'verify-ca', 'verify-full'] as const).flatMap(
      (mode) => (tlsRefusal(toolOf(build), asked(mode)) === undefined ? [] : [`${build} ${mode}`]),
    ),
  );
  expect(refused).toEqual([
    'classic MySQL verify-full',
    'modern without TLS required',
    'modern without TLS verify-ca',
    'modern without TLS verify-full',
  ]);
});

test('a refusal names the tool, its library and the way out', () => {
  expect(tlsRefusal(toolOf('classic MySQL'), asked('verify-full'))).toBe(
    "TLS_MODE=verify-full: mydumper 0.10.0 with MySQL's client library 8.0.36 " +
      "cannot verify the host's name; set TLS_MODE=verify-ca, " +
      "or MYDUMPER_BIN to a build with MariaDB's client library or to 1.x",
  );
  expect(tlsRefusal(toolOf('modern without TLS'), asked('required'))).toBe(
    "TLS_MODE=required: mydumper 1.0.1-3 with MySQL's client library 9.7.4 " +
      'was built without TLS; set MYDUMPER_BIN to another build',
  );
});

test.each([
  [undefined, 'TLS_CA is not used without TLS_MODE: '],
  ['required', 'TLS_CA is not used with TLS_MODE=required: '],
] as const)('TLS_CA with TLS_MODE=%s causes a warning', (mode, warning) => {
  expect(unusedAuthority(asked(mode))).toEqual([expect.stringContaining(warning)]);
  expect(unusedAuthority({ mode, caFile: undefined })).toEqual([]);
});

test.each(['verify-ca', 'verify-full'] as const)('TLS_CA with TLS_MODE=%s is used', (mode) => {
  expect(unusedAuthority(asked(mode))).toEqual([]);
});
