import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type StallOptions, type Work, watchForStall } from '../app/stall-watch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

const IDLE: Work = { busy: false, what: 'the server does nothing for it' };
const BUSY: Work = { busy: true, what: 'the server works' };

/** A watch with a limit of 10 s; `seconds` passes time and lets what was asked be answered. */
function watching(options: Partial<StallOptions> = {}) {
  const stalled: string[] = [];
  const asked = vi.fn(options.askServer ?? (async () => IDLE));
  const watch = watchForStall({
    name: 'mydumper',
    limitSeconds: 10,
    isHeld: () => false,
    ...options,
    askServer: asked,
    onStalled: (message) => stalled.push(message),
  });
  const seconds = async (count: number) => {
    for (let second = 0; second < count; second += 1) await vi.advanceTimersByTimeAsync(1000);
  };
  return { watch, stalled, asked, seconds };
}

test('a mydumper that keeps working is not reported', async () => {
  const { watch, stalled, asked, seconds } = watching();
  for (let count = 0; count < 20; count += 1) {
    await seconds(9);
    watch.alive('a line');
  }
  expect(asked).not.toHaveBeenCalled();
  expect(stalled).toEqual([]);
});

test('a mydumper that does nothing is reported once, with its last action', async () => {
  const { watch, stalled, seconds } = watching();
  watch.alive('"Thread 1 dumping data"');
  await seconds(9);
  expect(stalled).toEqual([]);
  await seconds(60);
  expect(stalled).toEqual([
    'mydumper has done nothing for 10 s (STALL_TIMEOUT_SECONDS=10); the last was: "Thread 1 ' +
      'dumping data"; the server does nothing for it',
  ]);
});

test('time in which it is held does not count', async () => {
  let held = true;
  const { stalled, seconds } = watching({ isHeld: () => held });
  await seconds(1000);
  held = false;
  await seconds(9);
  expect(stalled).toEqual([]);
  await seconds(2);
  expect(stalled).toHaveLength(1);
});

test('while the server works for it, it may take 24 times as long', async () => {
  const { stalled, asked, seconds } = watching({ askServer: async () => BUSY });
  await seconds(238);
  expect(stalled).toEqual([]);
  expect(asked.mock.calls.length).toBeGreaterThan(20);
  await seconds(15);
  expect(stalled).toEqual([expect.stringMatching(/STALL_TIMEOUT_SECONDS=10.*the server works$/)]);
});

test('a mydumper that resumes while the server is asked is not reported', async () => {
  const answer = Promise.withResolvers<Work>();
  const { watch, stalled, seconds } = watching({ askServer: () => answer.promise });
  await seconds(12);
  watch.alive('a line');
  answer.resolve(IDLE);
  await seconds(5);
  expect(stalled).toEqual([]);
});

test('time in which we ourselves were stopped does not count', async () => {
  const { stalled, seconds } = watching();
  await seconds(5);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.spyOn(performance, 'now').mockReturnValueOnce(performance.now() + 3_600_000);
  await seconds(2);
  expect(stalled).toEqual([]);
});

test('nothing is reported after the end, even when the server does not answer', async () => {
  const { watch, stalled, seconds } = watching({
    askServer: () => Promise.reject(new Error('no route')),
  });
  watch.end();
  await seconds(60);
  expect(stalled).toEqual([]);
});

test('a server that cannot be asked does nothing for it', async () => {
  const { stalled, seconds } = watching({ askServer: () => Promise.reject(new Error('no route')) });
  await seconds(12);
  expect(stalled).toEqual([expect.stringMatching(/cannot be asked: Error: no route$/)]);
});
