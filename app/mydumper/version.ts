import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { Failure } from '../errors.ts';

/** Two families of options and habits: Debian's 0.10 line and upstream's 1.x. */
export type Generation = 'classic' | 'modern';

export type MydumperVersion = {
  /** As the tool prints it, such as `0.10.0` or `1.0.1-3`. */
  readonly version: string;
  readonly generation: Generation;
};

/** @returns undefined for a tool or version this program does not drive. Accepts `mydumper 0.10.0, built …` and `mydumper v1.0.1-3, built …`. */
export function parseVersion(output: string): MydumperVersion | undefined {
  const found = /^(?:mydumper|myloader) v?(\d+)\.(\d+)\.([\w.+~-]+),/m.exec(output);
  if (found === null) return undefined;
  const [, major, minor, rest] = found;
  const version = `${major}.${minor}.${rest}`;
  if (Number(major) === 1) return { version, generation: 'modern' };
  if (Number(minor) === 9 || Number(minor) === 10) return { version, generation: 'classic' };
  return undefined;
}

/** Asks the tool itself; `signal` ends the asking. @throws Failure `preflight` when it is missing, does not run or is of an unknown version. */
export async function readVersion(
  binary: string,
  variable: 'MYDUMPER_BIN' | 'MYLOADER_BIN',
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
    throw new Failure('preflight', `${variable}="${binary}": ${reason}`, { cause: error });
  }
  const version = parseVersion(output);
  if (version === undefined) {
    const said = output.trim().split('\n', 1)[0] ?? '';
    throw new Failure(
      'preflight',
      `${variable}="${binary}": is not mydumper 0.9, 0.10 or 1.x (it says ${JSON.stringify(said)})`,
    );
  }
  return version;
}

/**
 * What the tools are started with: no credentials of ours, and UTF-8 by locale and for GLib, which would print `?` for
 * other letters than ASCII's as mydumper 0.10 sets no locale (`CHARSET` is GLib's own variable).
 */
export function toolEnvironment(searchPath: string): NodeJS.ProcessEnv {
  return { PATH: searchPath, LC_ALL: 'C.UTF-8', CHARSET: 'UTF-8' };
}
