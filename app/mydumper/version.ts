import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';

/** Two families of options and habits: Debian's 0.10 line and upstream's 1.x. */
export type Generation = 'classic' | 'modern';

/** The client library that mydumper is built with. It decides which TLS modes and logins work. */
export type ClientLibrary = {
  readonly product: 'MariaDB' | 'MySQL';
  /** As mydumper prints it, such as `10.11.14` or `9.7.4`; empty where it prints none. */
  readonly version: string;
  /** False where mydumper has no options for TLS. */
  readonly tls: boolean;
};

export type MydumperVersion = {
  /** As mydumper prints it, such as `0.10.0` or `1.0.1-3`. */
  readonly version: string;
  readonly generation: Generation;
  readonly library: ClientLibrary;
};

/** MySQL's versions are lower: a library of this version or later is MariaDB's. */
const FIRST_MARIADB = 10;

/**
 * Reads `mydumper 0.10.0, built …` and `mydumper v1.0.1-3, built …`.
 * @returns undefined for a tool or version that this program does not drive.
 */
export function parseVersion(output: string): MydumperVersion | undefined {
  const found =
    /^mydumper v?(\d+)\.(\d+)\.([\w.+~-]+),(?: built against (\w+) ([\w.+~-]+))?(.*)/m.exec(output);
  if (found === null) return undefined;
  const [, major, minor, rest, product, libraryVersion = '', features = ''] = found;
  const version = `${major}.${minor}.${rest}`;
  if (Number(major) === 1) {
    const tls = features.includes('with SSL support');
    const library = {
      product: product === 'MariaDB' ? product : 'MySQL',
      version: libraryVersion,
      tls,
    } as const;
    return { version, generation: 'modern', library };
  }
  if (Number(minor) !== 9 && Number(minor) !== 10) return undefined;
  // 0.10 calls every library MySQL. It does not print whether it has options for TLS.
  const isMariaDb = Number.parseInt(libraryVersion, 10) >= FIRST_MARIADB;
  const library = {
    product: isMariaDb ? 'MariaDB' : 'MySQL',
    version: libraryVersion,
    tls: true,
  } as const;
  return { version, generation: 'classic', library };
}

/**
 * Names mydumper and its library for messages: `mydumper 1.0.1-3 with MariaDB's client library
 * 10.11.19`.
 */
export function describeTool({ version, library }: MydumperVersion): string {
  const libraryVersion = library.version === '' ? '' : ` ${library.version}`;
  return `mydumper ${version} with ${library.product}'s client library${libraryVersion}`;
}

/**
 * Asks mydumper for its version. `signal` ends the question.
 * @throws Failure `preflight` when it is missing, does not run or has an unknown version.
 */
export async function readVersion(
  binary: string,
  searchPath: string,
  signal: AbortSignal,
): Promise<MydumperVersion> {
  let output: string;
  try {
    const { stdout, stderr } = await promisify(execFile)(binary, ['--version'], {
      timeout: 10_000,
      killSignal: 'SIGKILL',
      signal,
      env: toolEnvironment(searchPath),
    });
    output = stdout + stderr;
  } catch (error) {
    const { code, message } = error as Error & { code?: string };
    const reason =
      code === 'ENOENT' ? 'not found; install mydumper or set the path' : message.split('\n', 1)[0];
    throw new Failure('preflight', `MYDUMPER_BIN="${binary}": ${reason}`, { cause: error });
  }
  const version = parseVersion(output);
  if (version === undefined) {
    const said = output.trim().split('\n', 1)[0] ?? '';
    throw new Failure(
      'preflight',
      `MYDUMPER_BIN="${binary}": is not mydumper 0.9, 0.10 or 1.x (it says ${JSON.stringify(said)})`,
    );
  }
  return version;
}

/**
 * The environment of mydumper: no credentials of ours, and UTF-8 by locale and for GLib. mydumper
 * 0.10 sets no locale, so GLib would print `?` for letters outside ASCII. `CHARSET` is GLib's own
 * variable.
 */
export function toolEnvironment(searchPath: string): NodeJS.ProcessEnv {
  return { PATH: searchPath, LC_ALL: 'C.UTF-8', CHARSET: 'UTF-8' };
}
