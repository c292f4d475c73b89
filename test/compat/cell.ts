import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { startMariaDb } from '../support/mariadb/harness.ts';

/** A pair of mydumper and server. */
export type Cell = {
  /** As mydumper prints it, such as `0.10.0` or `1.0.1-3`. */
  readonly mydumper: string;
  /** The client library that mydumper is built with, such as `MariaDB 10.11.14`. */
  readonly client: string;
  /** Such as `MariaDB 10.11.14` or `MySQL 9.7.4`. */
  readonly server: string;
  /** The server's `@@version_comment`. mydumper 1.x recognises MySQL by it. */
  readonly comment: string;
};

/** Reads the versions of the mydumper on the PATH and of the server that the tests start. */
export async function currentCell(): Promise<Cell> {
  const { stdout } = await promisify(execFile)('mydumper', ['--version']);
  const [, mydumper, library, version] =
    /^mydumper v?(\S+), built against (\S+) (\S+)/m.exec(stdout.trim()) ?? [];
  if (mydumper === undefined || library === undefined || version === undefined)
    throw new Error(`mydumper --version says ${JSON.stringify(stdout)}`);
  // 0.10 calls every library MySQL; MariaDB's have versions from 10 on.
  const product = library === 'MariaDB' || Number.parseInt(version, 10) >= 10 ? 'MariaDB' : 'MySQL';
  const db = await startMariaDb();
  try {
    const [row] = await db.query('SELECT VERSION() v, @@version_comment c');
    const number = /^[\d.]+/.exec(String(row?.v))?.[0] ?? String(row?.v);
    return {
      mydumper,
      client: `${product} ${version}`,
      server: `${db.vendor === 'mariadb' ? 'MariaDB' : 'MySQL'} ${number}`,
      comment: String(row?.c),
    };
  } finally {
    await db.stop();
  }
}

/** A column of the page: patch releases share it. */
export function serverColumn({ server, comment }: Pick<Cell, 'server' | 'comment'>): string {
  const [, product = '', major = '', minor = ''] = /^(\w+) (\d+)\.(\d+)/.exec(server) ?? [];
  if (product === 'MariaDB') return `MariaDB ${major}.${minor}`;
  const release = Number(major) >= 9 ? major : `${major}.${minor}`;
  return `MySQL ${release}${/mysql/i.test(comment) ? '' : ' of Debian'}`;
}

/** A table of the page: `0.10 with MariaDB's client library`. */
export function mydumperColumn({ mydumper, client }: Pick<Cell, 'mydumper' | 'client'>): string {
  const generation = mydumper.startsWith('0.10') ? '0.10' : mydumper.replace(/^(\d+)\..*/, '$1.x');
  const vendor = client.startsWith('MariaDB') ? "MariaDB's" : "MySQL's";
  return `${generation} with ${vendor} client library`;
}

/** Name of the cell's file in docs/compatibility. */
export function cellFile(cell: Cell): string {
  const words = `mydumper ${mydumperColumn(cell)} ${serverColumn(cell)}`;
  return `${words
    .toLowerCase()
    .replace(/'s client library|\bwith\b|\bof\b/g, ' ')
    .trim()
    .replace(/\s+/g, '-')}.json`;
}
