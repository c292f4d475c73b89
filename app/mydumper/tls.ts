import type { ServerConfig } from '../config.ts';
import type { Transport } from '../database/tls.ts';
import { describeTool, type Generation, type MydumperVersion } from './version.ts';

/** The TLS settings that mydumper gets for TLS_MODE. */
export type ToolTls = {
  readonly flags: readonly string[];
  /** For the `[client]` section of its option file. */
  readonly lines: readonly string[];
};

/** TLS_MODE without `preferred`: our own connection has resolved that to `plain` or `encrypted`. */
type Settled = 'plain' | 'encrypted' | 'verify-ca' | 'verify-full';

const WITHOUT_VERIFYING = 'ssl-verify-server-cert=0';

/**
 * Sets the same mode on every client library, as measured for each (docs/mydumper.md).
 *
 * MySQL's library takes the modes by name. In 0.10, which has no such option, it verifies the chain
 * when it has a CA.
 *
 * MariaDB's library has no such modes. It encrypts when the server offers TLS, regardless of the
 * mode, unless it verifies the host's name or a fingerprint. So `verify-ca` passes it the
 * fingerprint of the certificate that our own connection has verified.
 */
export function toolTls(
  { generation, library }: Pick<MydumperVersion, 'generation' | 'library'>,
  tls: ServerConfig['tls'],
  transport: Transport,
): ToolTls {
  const settled = settle(tls, transport);
  if (!library.tls) return { flags: [], lines: [] };
  const isVerified = settled === 'verify-ca' || settled === 'verify-full';
  const ca = isVerified ? [`--ca=${tls.caFile}`] : [];
  if (library.product === 'MySQL')
    return { flags: [...mysqlFlags(generation, settled), ...ca], lines: [] };
  return {
    flags: [...mariaDbFlags(generation, settled), ...ca],
    lines: mariaDbLines(settled, transport),
  };
}

function settle({ mode }: ServerConfig['tls'], { encrypted }: Transport): Settled {
  if (mode === undefined || mode === 'preferred') return encrypted ? 'encrypted' : 'plain';
  if (mode === 'disabled') return 'plain';
  return mode === 'required' ? 'encrypted' : mode;
}

const MYSQL_MODES: Readonly<Record<Settled, string>> = {
  plain: 'DISABLED',
  encrypted: 'REQUIRED',
  'verify-ca': 'VERIFY_CA',
  'verify-full': 'VERIFY_IDENTITY',
};

function mysqlFlags(generation: Generation, settled: Settled): readonly string[] {
  if (generation === 'modern') return [`--ssl-mode=${MYSQL_MODES[settled]}`];
  return settled === 'plain' ? [] : ['--ssl'];
}

function mariaDbFlags(generation: Generation, settled: Settled): readonly string[] {
  if (settled === 'plain') return [];
  if (generation === 'classic') return ['--ssl'];
  return [`--ssl-mode=${settled === 'verify-full' ? 'VERIFY_IDENTITY' : 'REQUIRED'}`];
}

/** From 3.4 on the library verifies unless an option turns that off. */
function mariaDbLines(settled: Settled, { fingerprint }: Transport): readonly string[] {
  if (settled === 'verify-full') return ['ssl-verify-server-cert=1'];
  // With a fingerprint 3.4 verifies no name. With verification off it would ignore the fingerprint
  // too.
  if (settled === 'verify-ca') {
    if (fingerprint === undefined)
      throw new Error('the certificate of a verified connection is not known');
    return [`ssl-fp=${fingerprint.replaceAll(':', '')}`];
  }
  return [WITHOUT_VERIFYING];
}

/** Warns about a TLS_CA that verifies nothing. */
export function unusedAuthority({ mode, caFile }: ServerConfig['tls']): string[] {
  if (caFile === undefined || mode === 'verify-ca' || mode === 'verify-full') return [];
  const shown = mode === undefined ? 'without TLS_MODE' : `with TLS_MODE=${mode}`;
  return [
    `TLS_CA is not used ${shown}: set TLS_MODE=verify-ca or verify-full to verify the server`,
  ];
}

/** Why mydumper cannot do what TLS_MODE asks for, and the way out. Undefined when it can. */
export function tlsRefusal(
  tool: MydumperVersion,
  { mode }: ServerConfig['tls'],
): string | undefined {
  if (mode === undefined || mode === 'preferred' || mode === 'disabled') return undefined;
  if (!tool.library.tls)
    return (
      `TLS_MODE=${mode}: ${describeTool(tool)} was built without TLS; ` +
      'set MYDUMPER_BIN to another build'
    );
  if (mode === 'verify-full' && tool.generation === 'classic' && tool.library.product === 'MySQL')
    return (
      `TLS_MODE=${mode}: ${describeTool(tool)} cannot verify the host's name; ` +
      "set TLS_MODE=verify-ca, or MYDUMPER_BIN to a build with MariaDB's client library or to 1.x"
    );
  return undefined;
}
