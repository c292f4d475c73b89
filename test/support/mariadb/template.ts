import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A server's program, and what it says of its version. */
export type Mariadbd = { readonly path: string; readonly version: string };

let found: Promise<Mariadbd> | undefined;

/** The mariadbd to start: on Debian it lives in sbin, which is not on every user's PATH. Looked for once in each process. */
export function findMariadbd(): Promise<Mariadbd> {
  found ??= lookForMariadbd();
  return found;
}

async function lookForMariadbd(): Promise<Mariadbd> {
  for (const path of ['mariadbd', '/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', 'mysqld']) {
    const output = await run(path, ['--no-defaults', '--version']).then(
      ({ stdout }) => stdout,
      () => undefined,
    );
    if (output !== undefined) return { path, version: /Ver (\S+)/.exec(output)?.[1] ?? 'unknown' };
  }
  throw new Error('mariadbd is not installed (on Debian: apt-get install mariadb-server mydumper)');
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** `--user=root` where we are root: the server refuses to run as root unless told so. */
export function userArguments(): string[] {
  return userInfo().uid === 0 ? ['--user=root'] : [];
}

async function build(mariadbd: string, target: string): Promise<void> {
  const work = await mkdtemp(`${target}.new-`);
  const data = join(work, 'data');
  try {
    await mkdir(data);
    // A file system shared by every user of the machine: nobody else may read the data directory.
    await writeFile(join(work, 'my.cnf'), `[mysqld]\ninnodb_log_file_size=16M\ntmpdir=${work}\n`, {
      mode: 0o600,
    });
    await run(
      'mariadb-install-db',
      [
        `--defaults-file=${join(work, 'my.cnf')}`,
        `--datadir=${data}`,
        '--auth-root-authentication-method=normal',
        '--skip-test-db',
        '--skip-name-resolve',
        ...userArguments(),
      ],
      {
        maxBuffer: 16 * 1024 * 1024,
        env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin` },
      },
    );
    await rename(data, target).catch(async (error: unknown) => {
      // Another worker was first; its template is as good as ours.
      if (!(await exists(join(target, 'mysql')))) throw error;
    });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new Error(`mariadb-install-db (${mariadbd}) could not make a data directory: ${detail}`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/**
 * Directory with a freshly installed data directory, made once per machine, user and server version and
 * kept in the temporary directory. It is never opened by a server: each instance gets a copy.
 *
 * @throws Error when `mariadb-install-db` is missing or fails, with its output.
 */
export async function templateDataDir({ path, version }: Mariadbd): Promise<string> {
  const target = join(tmpdir(), `mariadb-template-${userInfo().uid}-${version.replace(/[^\w.-]/g, '_')}`);
  if (!(await exists(join(target, 'mysql')))) await build(path, target);
  return target;
}

/** Copies the template into `target`, which may be missing or empty, sharing blocks where the file system can. */
export async function copyTemplate(mariadbd: Mariadbd, target: string): Promise<void> {
  const template = await templateDataDir(mariadbd);
  await mkdir(target, { recursive: true, mode: 0o700 });
  await run('cp', ['-a', '--reflink=auto', `${template}/.`, target]);
}
