import { setTimeout as sleep } from 'node:timers/promises';
import type { FailureMode } from '../test/support/cloudwatch.ts';
import { MANIFEST_HOLD_MILLISECONDS } from './draw.ts';
import { DATABASE_STRIKES } from './faults-database.ts';
import { DISK_STRIKES } from './faults-disk.ts';
import { PROCESS_STRIKES } from './faults-process.ts';
import { MANIFEST_KEY, S3_STRIKES } from './faults-s3.ts';
import type { FaultKind } from './kinds.ts';
import type { FaultPlan, Moment } from './plan.ts';
import type { Scene, Strike } from './scene.ts';
import { unleashAll } from './unleash.ts';

const LOOK_MILLISECONDS = 5;

const metricsFail =
  (mode: FailureMode): Strike =>
  async (_fault, { cloudwatch }) => {
    const before = cloudwatch.calls.length;
    cloudwatch.fail(mode);
    return () => cloudwatch.calls.length > before;
  };

const STRIKES: Record<FaultKind, Strike> = {
  ...S3_STRIKES,
  ...DATABASE_STRIKES,
  ...PROCESS_STRIKES,
  ...DISK_STRIKES,
  'cloudwatch-error': metricsFail('error'),
  'cloudwatch-throttle': metricsFail('throttle'),
  'cloudwatch-hang': metricsFail('hang'),
};

/**
 * Triggers the plan's faults at their times.
 * @returns which of them met something, to be asked when the run is over.
 */
export function unleash(scene: Scene): () => Promise<FaultPlan[]> {
  const reached = momentsOf(scene);
  return unleashAll(scene.plan.faults, async (fault) => {
    await reached(fault.moment);
    await sleep(fault.delayMilliseconds, undefined, { signal: scene.over });
    return STRIKES[fault.kind](fault, scene);
  });
}

/** Resolves when the run has come so far; rejects when it ends before. */
function momentsOf({ plan, program, s3, over }: Scene): (moment: Moment) => Promise<void> {
  const manifest = plan.faults.some(({ moment }) => moment === 'manifest')
    ? s3.faults.add({
        operation: 'PutObject',
        key: MANIFEST_KEY,
        action: { kind: 'stall', milliseconds: MANIFEST_HOLD_MILLISECONDS },
      })
    : undefined;
  return async (moment) => {
    if (moment === 'started' || moment === 'dumpFinished')
      await program.printed(`"event":"${moment}"`);
    if (moment === 'manifest') {
      while (manifest?.hits === 0) await sleep(LOOK_MILLISECONDS, undefined, { signal: over });
    }
  };
}
