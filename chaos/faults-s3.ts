import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultAction, FaultRule, Operation } from '../test/support/s3/server.ts';
import type { FaultPlan } from './plan.ts';
import type { Scene, Strike } from './scene.ts';

const ALWAYS = Number.POSITIVE_INFINITY;
const BODIES: readonly Operation[] = ['PutObject', 'UploadPart'];
const WRITES: readonly Operation[] = [
  ...BODIES,
  'CreateMultipartUpload',
  'CompleteMultipartUpload',
];
const COMPLETION: Operation = 'CompleteMultipartUpload';
export const MANIFEST_KEY = /manifest\.json$/;
const HARDLY_ANY_BANDWIDTH = 150_000;

const rule = ({ s3 }: Scene, added: FaultRule) => {
  const fault = s3.faults.add(added);
  return () => fault.hits > 0;
};
const error = (status: number, code: string): FaultAction => ({ kind: 'error', status, code });
const few =
  (
    operation: Operation | readonly Operation[],
    actionOf: (fault: FaultPlan) => FaultAction,
    most = ALWAYS,
  ): Strike =>
  async (fault, scene) =>
    rule(scene, { operation, times: Math.min(fault.times, most), action: actionOf(fault) });
const always =
  (action: FaultAction): Strike =>
  async (_fault, scene) =>
    rule(scene, { times: ALWAYS, action });

export const S3_STRIKES = {
  's3-500': few(WRITES, () => error(500, 'InternalError')),
  's3-503': few(WRITES, () => error(503, 'SlowDown')),
  's3-reset': few(BODIES, ({ pick }) => ({ kind: 'reset', afterBytes: pick * 1000 })),
  's3-stall': few(WRITES, ({ milliseconds }) => ({ kind: 'stall', milliseconds })),
  's3-clock-skew': few(WRITES, () => ({ kind: 'clock-skew' }), 2),
  's3-lost-answer': few(BODIES, () => ({ kind: 'lost-answer' })),
  's3-lost-completion': few(COMPLETION, () => ({ kind: 'lost-answer' }), 2),
  's3-completion-500': few(COMPLETION, () => ({ kind: 'error-in-ok', code: 'InternalError' }), 2),
  's3-wrong-checksum': few(BODIES, () => ({ kind: 'wrong-checksum' }), 1),
  's3-lost-manifest': async (_fault, scene) =>
    rule(scene, { operation: 'PutObject', key: MANIFEST_KEY, action: { kind: 'lost-answer' } }),
  's3-completion-refused': async (_fault, scene) =>
    rule(scene, {
      operation: COMPLETION,
      times: ALWAYS,
      action: { kind: 'error-in-ok', code: 'AccessDenied', message: 'Access Denied' },
    }),
  's3-expired': always(error(403, 'ExpiredToken')),
  's3-500-for-good': always(error(500, 'InternalError')),
  's3-down': always({ kind: 'reset' }),
  's3-outage': async ({ milliseconds }, { s3, over }) => {
    const outage = s3.faults.add({ times: ALWAYS, action: error(503, 'ServiceUnavailable') });
    await sleep(milliseconds, undefined, { signal: over }).catch(() => {});
    outage.remove();
    return outage.hits > 0;
  },
  's3-slow': async ({ milliseconds }, { s3, plan, over }) => {
    s3.setBandwidth(HARDLY_ANY_BANDWIDTH);
    await sleep(milliseconds, undefined, { signal: over }).catch(() => {});
    if (!over.aborted) s3.setBandwidth(plan.bandwidthBytesPerSecond);
    return true;
  },
} as const satisfies Record<string, Strike>;
