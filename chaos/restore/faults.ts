import { setTimeout as sleep } from 'node:timers/promises';
import { RESTORE_STATE_DATABASE } from '../../app/contract.ts';
import { unleashAll } from '../unleash.ts';
import { RESTORE_DATABASE_STRIKES } from './faults-database.ts';
import { RESTORE_S3_STRIKES } from './faults-s3.ts';
import type { RestoreFaultKind } from './kinds.ts';
import type { Moment, RestoreFault } from './plan.ts';
import type { RestoreScene, RestoreStrike } from './scene.ts';

const LOOK_MILLISECONDS = 10;

const signal =
  (name: NodeJS.Signals): RestoreStrike =>
  async (_fault, { program, isOver }) =>
    !isOver() && program.child.kill(name);

const STRIKES: Record<RestoreFaultKind, RestoreStrike> = {
  ...RESTORE_S3_STRIKES,
  ...RESTORE_DATABASE_STRIKES,
  'us-term': signal('SIGTERM'),
  'us-int': signal('SIGINT'),
  'us-kill': signal('SIGKILL'),
  'us-term-twice': async (fault, scene) => {
    if (!(await signal('SIGTERM')(fault, scene))) return false;
    await sleep(fault.pick % 400);
    await signal('SIGTERM')(fault, scene);
    return true;
  },
  'us-stop': async (fault, scene) => {
    if (!(await signal('SIGSTOP')(fault, scene))) return false;
    await sleep(fault.milliseconds);
    await signal('SIGCONT')(fault, scene);
    return true;
  },
};

/**
 * Triggers the faults of one attempt at their times.
 * @returns which of them met something, to be asked when the attempt is over.
 */
export function unleashOnRestore(
  scene: RestoreScene,
  faults: readonly RestoreFault[],
): () => Promise<RestoreFault[]> {
  return unleashAll(faults, async (fault) => {
    await reached(scene, fault.moment);
    await sleep(fault.delayMilliseconds, undefined, { signal: scene.over });
    return STRIKES[fault.kind](fault, scene);
  });
}

const REACHED: Readonly<Record<Exclude<Moment, 'spawn' | 'started'>, string>> = {
  rows: `SELECT 1 FROM ${RESTORE_STATE_DATABASE}.files WHERE judged = 0 LIMIT 1`,
  committed: `SELECT 1 FROM ${RESTORE_STATE_DATABASE}.files
    WHERE judged = 0 AND loaded_bytes > 0 LIMIT 1`,
  after: `SELECT 1 FROM ${RESTORE_STATE_DATABASE}.runs WHERE phase IN ('after', 'check')`,
};

async function reached({ program, db, over }: RestoreScene, moment: Moment): Promise<void> {
  if (moment === 'spawn') return;
  await program.printed('"event":"started"');
  if (moment === 'started') return;
  for (;;) {
    // The database is not there yet, or the server is down.
    const rows = await db.query(REACHED[moment]).catch(() => []);
    if (rows.length > 0) return;
    await sleep(LOOK_MILLISECONDS, undefined, { signal: over });
  }
}
