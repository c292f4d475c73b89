import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../support/program.ts';

const SCRIPT = fileURLToPath(new URL('../../scripts/image-downloads.sh', import.meta.url));
const SHA256 = createHash('sha256').update('BEGIN CERTIFICATE\n').digest('hex');

/**
 * Runs the script of the image's build with a stand-in for curl. It records each request and
 * answers with one line.
 */
function download(environment: Record<string, string>) {
  const { path, remove } = temporaryDirectory('mf-downloads');
  onTestFinished(remove);
  mkdirSync(join(path, 'bin'));
  const curl =
    `#!/bin/sh\nfor word; do [ "$last" = --output ] && echo 'BEGIN CERTIFICATE' > "$word"; ` +
    `last=$word; done\necho "$last" >> "${path}/asked"\n`;
  writeFileSync(join(path, 'bin/curl'), curl, { mode: 0o755 });
  const { status, stderr } = spawnSync('sh', [SCRIPT], {
    cwd: path,
    encoding: 'utf8',
    env: {
      PATH: `${join(path, 'bin')}:${process.env.PATH}`,
      MYDUMPER_VERSION: '1.0.1-3',
      MYDUMPER_SHA256: '',
      RDS_CA: 'none',
      ...environment,
    },
  });
  const read = (name: string) =>
    existsSync(join(path, name)) ? readFileSync(join(path, name), 'utf8') : undefined;
  return {
    status,
    stderr,
    packages: read('packages'),
    asked: read('asked'),
    authorities: read('rds/global-bundle.pem'),
  };
}

test("upstream's .deb with the right checksum is what apt is to install", () => {
  const { status, packages, asked } = download({ MYDUMPER: 'upstream', MYDUMPER_SHA256: SHA256 });
  expect(status).toBe(0);
  expect(packages).toMatch(
    /^\/downloads\/mydumper_1\.0\.1-3\.\w+_(amd64|arm64)\.deb libmariadb3\n$/,
  );
  expect(asked).toMatch(
    /^https:\/\/github\.com\/mydumper\/mydumper\/releases\/download\/v1\.0\.1-3\/mydumper_/,
  );
});

test('without a checksum the build stops and says the one it found', () => {
  const { status, stderr, packages } = download({ MYDUMPER: 'upstream' });
  expect({ status, packages }).toEqual({ status: 1, packages: undefined });
  expect(stderr).toContain(SHA256);
});

test('with another checksum the build stops', () => {
  const { status, stderr, packages } = download({
    MYDUMPER: 'upstream',
    MYDUMPER_SHA256: '0'.repeat(64),
  });
  expect({ status, packages }).toEqual({ status: 1, packages: undefined });
  expect(stderr).toContain(`has the SHA-256 ${SHA256}, not 0000`);
});

test("Debian's needs no download; the authorities of RDS are one", () => {
  expect(download({ MYDUMPER: 'debian' })).toMatchObject({
    status: 0,
    packages: 'mydumper\n',
    asked: undefined,
  });
  expect(download({ MYDUMPER: 'debian', RDS_CA: 'include' })).toMatchObject({
    status: 0,
    authorities: 'BEGIN CERTIFICATE\n',
  });
});

test.each([{ MYDUMPER: 'other' }, { MYDUMPER: 'debian', RDS_CA: 'maybe' }])(
  '%j is refused',
  (environment) => {
    expect(download(environment)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('must be'),
    });
  },
);
