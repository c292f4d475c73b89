import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManifestFile } from '../../app/manifest/schema.ts';
import type { FaultAction, FaultRule } from '../../test/support/s3/server.ts';
import type { RestoreFault } from './plan.ts';
import { BUCKET, type RestoreScene, type RestoreStrike } from './scene.ts';

const ALWAYS = Number.POSITIVE_INFINITY;
const BEGINNING_BYTES = 500_000;
const HARDLY_ANY_BANDWIDTH = 150_000;

const error = (status: number, code: string): FaultAction => ({ kind: 'error', status, code });
const rule = ({ s3 }: RestoreScene, added: FaultRule) => {
  const fault = s3.faults.add(added);
  return () => fault.hits > 0;
};
const few =
  (actionOf: (fault: RestoreFault) => FaultAction): RestoreStrike =>
  async (fault, scene) =>
    rule(scene, { operation: 'GetObject', times: fault.times, action: actionOf(fault) });
const always =
  (action: FaultAction): RestoreStrike =>
  async (_fault, scene) =>
    rule(scene, { times: ALWAYS, action });
const exactly = (key: string) => new RegExp(`^${key.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$`);

/** Any object, any object with rows, or twice as often the largest one. */
export function chosenFile(files: readonly ManifestFile[], pick: number): ManifestFile | undefined {
  const stored = files.filter(({ storedBytes }) => storedBytes > 0);
  const data = stored.filter(({ kind }) => kind === 'data');
  if (pick % 4 >= 2 && data.length > 0)
    return data.reduce((a, b) => (b.storedBytes > a.storedBytes ? b : a));
  const some = pick % 4 === 1 && data.length > 0 ? data : stored;
  return some[Math.floor(pick / 4) % Math.max(1, some.length)];
}

/** Half of the time in the beginning, so that much follows. */
export function placeOfBit(sizeBytes: number, pick: number): number {
  const least = pick % 2 === 0 ? Math.min(sizeBytes, BEGINNING_BYTES) : sizeBytes;
  return (Math.floor(pick / 8) * 7919) % least;
}

/** Inverts one bit of a file in place. The same again restores it. */
export function flipBit(path: string, sizeBytes: number, pick: number): void {
  const descriptor = openSync(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    const position = placeOfBit(sizeBytes, pick);
    readSync(descriptor, byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ (1 << (Math.floor(pick / 4) % 8));
    writeSync(descriptor, byte, 0, 1, position);
  } finally {
    closeSync(descriptor);
  }
}

export const RESTORE_S3_STRIKES = {
  's3-503': few(() => error(503, 'SlowDown')),
  's3-500': few(() => error(500, 'InternalError')),
  's3-cut': few(({ pick }) => ({ kind: 'truncate', afterBytes: pick })),
  's3-reset': few(() => ({ kind: 'reset' })),
  's3-stall': few(({ milliseconds }) => ({ kind: 'stall', milliseconds })),
  's3-drip': few(() => ({ kind: 'slow', bytesPerSecond: 400_000 })),
  's3-outage': always(error(503, 'ServiceUnavailable')),
  's3-down': always({ kind: 'reset' }),
  's3-expired': always(error(403, 'ExpiredToken')),
  's3-slow': async ({ milliseconds }, { s3, bandwidth, over }) => {
    s3.setBandwidth(HARDLY_ANY_BANDWIDTH);
    await sleep(milliseconds, undefined, { signal: over }).catch(() => {});
    if (!over.aborted) s3.setBandwidth(bandwidth);
    return true;
  },
  's3-throttle': async ({ milliseconds }, { s3, over }) => {
    const throttle = s3.faults.add({ times: ALWAYS, action: error(503, 'SlowDown') });
    await sleep(milliseconds, undefined, { signal: over }).catch(() => {});
    throttle.remove();
    return throttle.hits > 0;
  },
  's3-gone': async ({ pick }, scene) => {
    const file = chosenFile(scene.backup.files, pick);
    if (file === undefined) return false;
    scene.wrong.push({ file, since: Date.now(), altered: false });
    const key = exactly(file.key);
    return rule(scene, { key, times: ALWAYS, action: error(404, 'NoSuchKey') });
  },
  's3-wrong-object': async ({ pick }, scene) => {
    const { s3, backup, wrong, onEnd } = scene;
    const file = chosenFile(backup.files, pick);
    if (file === undefined) return false;
    const path = s3.objectPath(BUCKET, file.key);
    const flip = () => flipBit(path, file.storedBytes, pick);
    flip();
    onEnd(flip);
    wrong.push({ file, since: Date.now(), altered: true });
    // A body that had begun before may hold it too.
    return () => s3.requests.slice(scene.firstRequest).some(({ key }) => key === file.key);
  },
  's3-wrong-body': async ({ pick }, scene) => {
    const file = chosenFile(scene.backup.files, pick);
    if (file === undefined) return false;
    scene.wrong.push({ file, since: Date.now(), altered: true });
    const key = exactly(file.key);
    return rule(scene, { key, operation: 'GetObject', action: { kind: 'corrupt' } });
  },
} as const satisfies Record<string, RestoreStrike>;
