import { expect, test } from 'vitest';
import { createMemoryTurn } from '../../app/restore/memory-turn.ts';

test('one lane has the turn at a time, and the next one gets it afterwards', async () => {
  const shared = new SharedArrayBuffer(4);
  const never = new AbortController().signal;
  const lanes = Array.from({ length: 3 }, () => createMemoryTurn(shared, never));
  let holders = 0;
  let most = 0;
  await Promise.all(
    lanes.map(async (lane) => {
      for (let times = 0; times < 5; times += 1) {
        await lane.take();
        await lane.take();
        holders += 1;
        most = Math.max(most, holders);
        await new Promise((resolve) => setImmediate(resolve));
        holders -= 1;
        lane.giveBack();
        lane.giveBack();
      }
    }),
  );
  expect(most).toBe(1);
});

test('a lane that waits for the turn ends with the restore', async () => {
  const shared = new SharedArrayBuffer(4);
  const ending = new AbortController();
  await createMemoryTurn(shared, ending.signal).take();
  const waiting = createMemoryTurn(shared, ending.signal).take();
  ending.abort(new Error('the restore ends'));
  await expect(waiting).rejects.toThrow('the restore ends');
});
