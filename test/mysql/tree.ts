import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { debianMirror } from '../../scripts/sid.mjs';
import { aptInstall, run, works } from '../image/commands.ts';

const SUITE = 'sid';
const PACKAGE = 'mysql-server-core';
/** sid's MySQL changes, so a tree older than this is made again. */
const OLDEST_MILLISECONDS = 30 * 24 * 3600 * 1000;
/**
 * Accepts a sid whose Release file has expired, as on some mirrors. apt still checks its signature.
 */
const STALE_ALLOWED = ['-o', 'Acquire::Check-Valid-Until=false'];

/** The reason why this machine cannot make a tree with MySQL; undefined where it can. */
export async function whyNoMysql(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'debootstrap needs root';
  if (!(await works('apt-get', '--version')))
    return 'there is no apt-get to install debootstrap with';
  return undefined;
}

/**
 * Returns the root directory of a Debian sid with MySQL's server. debootstrap makes it below
 * `cache`, where it stays. The server runs from it without a chroot. A new tree takes a minute or
 * two.
 * @throws CommandError when debootstrap or apt fails.
 */
export async function mysqlTree(cache: string): Promise<string> {
  const tree = join(cache, `mysql-${SUITE}`);
  if (existsSync(join(tree, 'usr/sbin/mysqld'))) {
    if (Date.now() - statSync(join(tree, 'usr/sbin')).ctimeMs < OLDEST_MILLISECONDS) return tree;
    rmSync(tree, { recursive: true });
  }
  if (!(await works('debootstrap', '--version'))) await aptInstall('debootstrap');
  const work = `${tree}-${process.pid}`;
  try {
    mkdirSync(cache, { recursive: true });
    const mirror = await debianMirror(async (command) => ({
      stdout: await run(command).catch(() => ''),
    }));
    await run([
      'debootstrap',
      '--variant=minbase',
      SUITE,
      work,
      ...(mirror === undefined ? [] : [mirror]),
    ]);
    const inside = (...command: string[]) =>
      run(['chroot', work, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command]);
    await inside('apt-get', ...STALE_ALLOWED, 'update', '-qq');
    await inside('apt-get', 'install', '-y', '-qq', '--no-install-recommends', PACKAGE);
    rmSync(tree, { recursive: true, force: true });
    renameSync(work, tree);
    return tree;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}
