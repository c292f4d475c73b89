import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { watchForSilence } from '../../app/governor/silence.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('a minute of silence is reported once', () => {
  const silent = vi.fn();
  const { heard } = watchForSilence(silent);
  for (let count = 0; count < 10; count += 1) {
    vi.advanceTimersByTime(50_000);
    heard();
  }
  expect(silent).not.toHaveBeenCalled();
  vi.advanceTimersByTime(300_000);
  expect(silent.mock.calls).toEqual([[60]]);
});

test('nothing is reported after its end', () => {
  const silent = vi.fn();
  watchForSilence(silent).end();
  vi.advanceTimersByTime(300_000);
  expect(silent).not.toHaveBeenCalled();
});
