import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createRunState, createTotals } from '../../app/commands/run-state.ts';
import { writeManifest } from '../../app/commands/write-manifest.ts';
import { exitCodeOf, Failure } from '../../app/errors.ts';
import { createEvents } from '../../app/events.ts';
import type { StoredObject } from '../../app/storage/object-store.ts';

const MANIFEST = {
  key: 'a/manifest.json',
  location: 's3://b/a/manifest.json',
  body: Buffer.from('{}'),
};
const STORED: StoredObject = { key: MANIFEST.key, bytes: 2, crc32: 'AAAAAA==' };
const SIGINT = new Failure('interrupted', 'interrupted by SIGINT', { signal: 'SIGINT' });

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

/** A running write, a run that may be interrupted, and the result. */
function underWay() {
  const interruption = new AbortController();
  const run = createRunState(1, interruption.signal, createEvents(), createTotals());
  const answer = Promise.withResolvers<StoredObject>();
  const cuts: Error[] = [];
  const store = { create: () => answer.promise, interrupt: (reason: Error) => cuts.push(reason) };
  const written = writeManifest(store, run, MANIFEST).catch((error: unknown) =>
    run.firstCause(error),
  );
  return { interrupt: () => interruption.abort(SIGINT), answer, written, cuts };
}

describe('while the manifest is being written', () => {
  test('an interruption waits for the answer, and the backup is made', async () => {
    const { interrupt, answer, written, cuts } = underWay();
    interrupt();
    await vi.advanceTimersByTimeAsync(9000);
    answer.resolve(STORED);
    expect(await written).toEqual(STORED);
    expect(cuts).toEqual([]);
  });

  test('an interruption waits up to the limit, then reports an unknown outcome', async () => {
    const { interrupt, written, cuts } = underWay();
    interrupt();
    await vi.advanceTimersByTimeAsync(10_000);
    const failure = (await written) as Failure;
    expect(failure.message).toMatch(
      /^interrupted by SIGINT while .*s3:\/\/b\/a\/manifest\.json may be there.*did not answer in time/,
    );
    expect(exitCodeOf(failure)).toBe(130);
    expect(cuts).toEqual([SIGINT]);
  });

  test('an interruption before a refusal is the failure, which names the refusal', async () => {
    const { interrupt, answer, written } = underWay();
    interrupt();
    await vi.advanceTimersByTimeAsync(10);
    answer.reject(new Failure('upload', 'access denied'));
    expect(((await written) as Failure).message).toMatch(/interrupted by SIGINT .* access denied$/);
  });

  test('a refusal without an interruption is the failure', async () => {
    const { answer, written } = underWay();
    const refused = new Failure('upload', 'access denied');
    answer.reject(refused);
    expect(await written).toBe(refused);
  });
});

test('a run interrupted earlier does not begin to write the manifest', async () => {
  const run = createRunState(1, AbortSignal.abort(SIGINT), createEvents(), createTotals());
  const store = {
    create: () => {
      throw new Error('not to be called');
    },
    interrupt: () => {},
  };
  await expect(writeManifest(store, run, MANIFEST)).rejects.toBe(SIGINT);
});
