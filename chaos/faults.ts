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
  const outcomes = scene.plan.faults.map(async (fault) => {
    await reached(fault.moment);
    await sleep(fault.delayMilliseconds, undefined, { signal: scene.over });
    return STRIKES[fault.kind](fault, scene);
  });
  for (const outcome of outcomes) outcome.catch(() => {}); // looked at below
  return async () => {
    const struck: FaultPlan[] = [];
    for (const [index, fault] of scene.plan.faults.entries()) {
      const outcome = await Promise.resolve(outcomes[index]).catch((error: unknown) => {
        if (wasTooLate(error)) return false;
        throw error; // a defect of these runs themselves
      });
      if (typeof outcome === 'function' ? outcome() : outcome) struck.push(fault);
    }
    return struck;
  };
}

/** The run ended before its time had come, or the server that it was to be asked of was gone. */
function wasTooLate(error: unknown): boolean {
  const { name, message, code } = error as { name?: string; message?: string; code?: string };
  return (
    name === 'AbortError' ||
    /ended without printing/.test(message ?? '') ||
    /^(?:ECONN|EPIPE|PROTOCOL_|ER_)/.test(code ?? '') ||
    /connection/i.test(message ?? '')
  );
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
