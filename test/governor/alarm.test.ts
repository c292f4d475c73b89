import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { createAlarm } from '../../app/governor/alarm.ts';

const WAIT = { timeout: 20_000, interval: 1 };

test('rings once, at once or later, and what is set last counts', async () => {
  const call = vi.fn();
  const alarm = createAlarm(call);
  expect(alarm.isSet()).toBe(false);
  alarm.in(1_000_000);
  alarm.in(0);
  expect(alarm.isSet()).toBe(true);
  expect(call).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(call).toHaveBeenCalledTimes(1), WAIT);
  expect(alarm.isSet()).toBe(false);
  alarm.in(0);
  alarm.in(1);
  await vi.waitFor(() => expect(call).toHaveBeenCalledTimes(2), WAIT);
  await sleep(10);
  expect(call).toHaveBeenCalledTimes(2);
});

test('does not ring when it was cleared, and may be set while it rings', async () => {
  const rung: string[] = [];
  const cleared = createAlarm(() => rung.push('cleared'));
  cleared.in(0);
  cleared.clear();
  const again = createAlarm(() => {
    rung.push('again');
    if (rung.length < 3) again.in(0);
  });
  again.in(1);
  await vi.waitFor(() => expect(rung).toHaveLength(3), WAIT);
  expect(rung).toEqual(['again', 'again', 'again']);
  expect(again.isSet()).toBe(false);
});
