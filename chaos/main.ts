/**
 * Draws runs with faults from a seed and makes them with the real program against real servers. It
 * judges each run from outside: either a good backup or a clear failure. Exit code 1 when a run is
 * neither.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inMountNamespace } from '../test/support/mount-namespace.ts';
import { openBackupCampaign } from './backup-campaign.ts';
import { carryOut } from './campaign.ts';
import { HELP, readOptions } from './options.ts';
import { openRestoreCampaign } from './restore/campaign.ts';

/**
 * Mounts small disks in a separate mount namespace, so that they disappear with the process in any
 * case.
 */
const INSIDE = '--inside-namespace';
/** As a shell says of SIGINT. */
const INTERRUPTED = 130;

function enterNamespace(): number {
  const [unshare = '', ...words] = inMountNamespace('--kill-child', '--fork');
  const command = [
    process.execPath,
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
    INSIDE,
  ];
  const { status, error } = spawnSync(unshare, [...words, ...command], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

async function main(): Promise<number> {
  const given = readOptions(process.argv.slice(2).filter((argument) => argument !== INSIDE));
  if (given === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!process.argv.includes(INSIDE)) return enterNamespace();
  // What was begun is finished, so that servers and directories are cleared away.
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const isInterrupted = () => interrupted;
  const violating = given.restore
    ? await carryOut(await openRestoreCampaign(), given, isInterrupted)
    : await carryOut(await openBackupCampaign(), given, isInterrupted);
  if (interrupted) return INTERRUPTED;
  return violating > 0 ? 1 : 0;
}

process.exitCode = await main();
