import type { SdkError } from '@smithy/types';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { backoffMilliseconds, type Limits, retryForSeconds } from '../../app/storage/retry.ts';
import { sdkError } from './sdk-error.ts';

/** A clock that moves only during a sleep. A sleep may last until its signal aborts. */
const clock = vi.hoisted(() => ({ now: 0, sleeps: [] as number[], isStopped: false }));

vi.mock('node:timers/promises', () => ({
  setTimeout: (milliseconds: number, _value: unknown, { signal }: { signal: AbortSignal }) => {
    clock.sleeps.push(milliseconds);
    if (!clock.isStopped) {
      clock.now += milliseconds;
      return Promise.resolve();
    }
    return new Promise((_resolve, reject) => {
      const abort = () => reject(Object.assign(new Error('aborted'), { name: 'AbortError' }));
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort);
    });
  },
}));

beforeEach(() => {
  Object.assign(clock, { now: 0, sleeps: [], isStopped: false });
  vi.spyOn(performance, 'now').mockImplementation(() => clock.now);
});
afterEach(() => vi.restoreAllMocks());

const retries = fc.integer({ min: 1, max: 1_000_000 });
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

test('a backoff is bounded on both sides and does not shrink from one retry to the next', () => {
  fc.assert(
    fc.property(retries, random, (retry, chance) => {
      const milliseconds = backoffMilliseconds(retry, chance);
      expect(milliseconds).toBeGreaterThanOrEqual(50);
      expect(milliseconds).toBeLessThanOrEqual(20_000);
      expect(Number.isInteger(milliseconds)).toBe(true);
      expect(backoffMilliseconds(retry + 1, chance)).toBeGreaterThanOrEqual(milliseconds);
    }),
  );
});

test('a backoff doubles until its cap, and chance spreads it over half of that', () => {
  expect([1, 2, 3, 8, 9].map((retry) => backoffMilliseconds(retry, 0.999_999))).toEqual([
    100, 200, 400, 12_800, 20_000,
  ]);
  expect(backoffMilliseconds(3, 0)).toBe(200);
});

const slowDown = sdkError({ name: 'SlowDown', status: 503 });

function strategy(retrySeconds: number) {
  const stop = new AbortController();
  const limits: Limits = { retrySeconds, signal: stop.signal };
  const onRetry = vi.fn();
  return { stop, limits, onRetry, ...retryForSeconds(limits, onRetry) };
}

const info = (error: Error, retryAfterHint?: Date) => ({
  error: error as SdkError,
  errorType: 'TRANSIENT' as const,
  ...(retryAfterHint !== undefined && { retryAfterHint }),
});

/** Refuses a request again and again, each attempt taking so long, until it is given up. */
async function refuse(tries: ReturnType<typeof strategy>, error: Error, attemptMilliseconds = 0) {
  let token = await tries.acquireInitialRetryToken('scope');
  for (let attempts = 1; ; attempts += 1) {
    clock.now += attemptMilliseconds;
    try {
      token = await tries.refreshRetryTokenForRetry(token, info(error));
    } catch (thrown) {
      return { attempts, thrown };
    }
    expect(token.getRetryCount()).toBe(attempts);
  }
}

test('a request is retried until its time ends, once more at the end, then fails', async () => {
  const tries = strategy(300);
  const { attempts, thrown } = await refuse(tries, slowDown);
  expect(thrown).toBe(slowDown);
  expect(clock.now).toBe(300_000);
  expect(attempts).toBe(tries.onRetry.mock.calls.length + 1);
  expect(tries.onRetry).toHaveBeenCalledWith(slowDown);
  expect(attempts).toBeGreaterThan(300 / 20);
});

test('attempts themselves count, and none is begun after the time', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 600 }),
      fc.integer({ min: 1, max: 90_000 }),
      async (retrySeconds, attemptMilliseconds) => {
        Object.assign(clock, { now: 1e9, sleeps: [] });
        await refuse(strategy(retrySeconds), slowDown, attemptMilliseconds);
        const lastBegun = clock.now - 1e9 - attemptMilliseconds;
        expect(lastBegun).toBeLessThanOrEqual(retrySeconds * 1000);
        expect(clock.sleeps.every((milliseconds) => milliseconds > 0)).toBe(true);
      },
    ),
  );
});

test('without time the first refusal is final, and no retry is reported', async () => {
  const tries = strategy(0);
  expect(await refuse(tries, slowDown)).toEqual({ attempts: 1, thrown: slowDown });
  expect(tries.onRetry).not.toHaveBeenCalled();
});

test('what is final is not sent again', async () => {
  const denied = sdkError({ name: 'AccessDenied', status: 403 });
  expect(await refuse(strategy(300), denied)).toEqual({ attempts: 1, thrown: denied });
  expect(clock.sleeps).toEqual([]);
});

test('each request has its own time, and a changed limit holds for the next refusal', async () => {
  const tries = strategy(10);
  await refuse(tries, slowDown);
  const before = clock.now;
  tries.limits.retrySeconds = 50;
  await refuse(tries, slowDown);
  expect(clock.now - before).toBe(50_000);
});

test("a retry follows the server's hint up to the cap, never below its own backoff", async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    for (const [seconds, expected] of [
      [5, 5000],
      [3600, 20_000],
    ] as const) {
      const tries = strategy(300);
      const token = await tries.acquireInitialRetryToken('scope');
      await tries.refreshRetryTokenForRetry(
        token,
        info(slowDown, new Date(Date.now() + seconds * 1000)),
      );
      expect(clock.sleeps.at(-1)).toBe(expected);
    }
    const tries = strategy(300);
    const token = await tries.acquireInitialRetryToken('scope');
    await tries.refreshRetryTokenForRetry(token, info(slowDown, new Date(Date.now() - 60_000)));
    expect(clock.sleeps.at(-1)).toBeGreaterThanOrEqual(50);
  } finally {
    vi.useRealTimers();
  }
});

test('an abort ends the waiting', async () => {
  clock.isStopped = true;
  const tries = strategy(300);
  const waiting = tries.refreshRetryTokenForRetry(
    await tries.acquireInitialRetryToken('scope'),
    info(slowDown),
  );
  await vi.waitFor(() => expect(clock.sleeps.length).toBe(1));
  tries.stop.abort();
  await expect(waiting).rejects.toThrow('aborted');
});

test('after an abort nothing is sent again', async () => {
  const tries = strategy(300);
  tries.stop.abort();
  expect(await refuse(tries, slowDown)).toEqual({ attempts: 1, thrown: slowDown });
  expect(tries.onRetry).not.toHaveBeenCalled();
});
