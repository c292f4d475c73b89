import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { glob } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export type Vendor = 'mariadb' | 'mysql';

/** A server's program and how to start it. */
export type ServerProgram = {
  readonly vendor: Vendor;
  /** The program's version, such as `10.11.14-MariaDB-0+deb12u2` or `9.7.4`. */
  readonly version: string;
  readonly path: string;
  /** The command that runs the program: its path, or its tree's dynamic linker with that path. */
  readonly command: readonly string[];
  /**
   * Lines for the option file with the places of the program's files, for a program of another
   * tree.
   */
  readonly files: readonly string[];
  /**
   * Directory with the server's SQL scripts and messages; known only for a server of another tree.
   */
  readonly share?: string;
};

/** Where MariaDB and MySQL keep their messages and scripts, below `usr/share`. */
const SHARES = ['mariadb', 'mysql'];

let found: Promise<ServerProgram> | undefined;

/**
 * The server that tests start. These variables choose it:
 *
 * - `TEST_SERVER`: the program's path or name. The default is MariaDB, else MySQL.
 * - `TEST_SERVER_ROOT`: root directory of another Debian, such as one made by debootstrap. The
 *   program is looked for there and runs outside of a chroot, through that tree's dynamic linker
 *   and libraries.
 *
 * The result is computed once in each process.
 *
 * @throws Error when there is no such program.
 */
export function serverProgram(): Promise<ServerProgram> {
  found ??= lookForServer(process.env.TEST_SERVER_ROOT, process.env.TEST_SERVER);
  return found;
}

async function lookForServer(root = '', program = ''): Promise<ServerProgram> {
  if (root !== '') return serverOfTree(root, program);
  // Debian puts servers in sbin, which a user's PATH may not have.
  const candidates =
    program === ''
      ? ['mariadbd', '/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd', 'mysqld']
      : [program];
  for (const path of candidates) {
    const said = await versionOf([path]).catch(() => undefined);
    if (said !== undefined) return { ...said, path, command: [path], files: [] };
  }
  throw new Error(
    program === ''
      ? 'mariadbd is not installed (on Debian: apt-get install mariadb-server mydumper)'
      : `TEST_SERVER=${program} does not run`,
  );
}

async function serverOfTree(root: string, program: string): Promise<ServerProgram> {
  const names = program === '' ? ['mariadbd', 'mysqld'] : [program];
  const path = names
    .map((name) => (isAbsolute(name) ? name : join(root, 'usr/sbin', name)))
    .find((candidate) => existsSync(candidate));
  if (path === undefined)
    throw new Error(`TEST_SERVER_ROOT=${root} has no usr/sbin/${names.join(' or ')}`);
  const linker = await firstMatch(root, 'usr/lib*/ld-linux*.so.*', 'usr/lib/*/ld-linux*.so.*');
  const libraries = await firstMatch(root, 'usr/lib/*-linux-gnu*/libc.so.6');
  const command = [linker, '--library-path', libraries.replace(/\/[^/]*$/, ''), path];
  const share = SHARES.map((name) => join(root, 'usr/share', name)).find((directory) =>
    existsSync(join(directory, 'english')),
  );
  if (share === undefined) throw new Error(`TEST_SERVER_ROOT=${root} has no messages in usr/share`);
  const files = [
    `basedir=${join(root, 'usr')}`,
    `lc-messages-dir=${share}`,
    `character-sets-dir=${join(share, 'charsets')}`,
    `plugin-dir=${join(root, 'usr/lib/mysql/plugin')}`,
  ];
  return { ...(await versionOf(command)), path, command, files, share };
}

async function versionOf(
  command: readonly string[],
): Promise<{ readonly vendor: Vendor; readonly version: string }> {
  const [program = '', ...args] = command;
  const { stdout } = await run(program, [...args, '--no-defaults', '--version']);
  return {
    vendor: /mariadb/i.test(stdout) ? 'mariadb' : 'mysql',
    version: /Ver (\S+)/.exec(stdout)?.[1] ?? 'unknown',
  };
}

async function firstMatch(root: string, ...patterns: readonly string[]): Promise<string> {
  for (const pattern of patterns) {
    for await (const name of glob(pattern, { cwd: root })) return join(root, name);
  }
  throw new Error(`TEST_SERVER_ROOT=${root} has no ${patterns.join(' or ')}`);
}
