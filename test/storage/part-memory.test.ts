import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createPartMemory, type FileParts } from '../../app/storage/part-memory.ts';

const BYTES = 16;

/** What becomes of a wait once everything that could has. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  promise.then(() => {
    done = true;
  });
  await setImmediate();
  return done;
}

test('each file gets one part at once, and all together as many more as there are', async () => {
  const memory = createPartMemory(1);
  const [first, second] = [memory.open(), memory.open()];
  const part = await first.take(BYTES);
  await second.take(BYTES);
  await first.take(BYTES);
  const third = second.take(BYTES);
  expect(await isDone(third)).toBe(false);
  first.giveBack(part);
  expect(await third).toBe(part);
});

test('a file that has given back all its parts does not wait', async () => {
  const memory = createPartMemory(1);
  const [first, second] = [memory.open(), memory.open()];
  await first.take(BYTES);
  await first.take(BYTES);
  const part = await second.take(BYTES);
  const next = second.take(BYTES);
  expect(await isDone(next)).toBe(false);
  second.giveBack(part);
  expect(await isDone(next)).toBe(true);
});

test("a file's end frees its share, but its unreturned buffers are not used again", async () => {
  const memory = createPartMemory(1);
  const [first, second] = [memory.open(), memory.open()];
  const parts = [await first.take(BYTES), await first.take(BYTES)];
  await second.take(BYTES);
  const [waiting, ended] = [second.take(BYTES), first.take(BYTES)];
  expect(await isDone(waiting)).toBe(false);
  first.end();
  expect(parts).not.toContain(await waiting);
  expect(await isDone(ended)).toBe(true);
});

type Step = { readonly file: number; readonly action: 'take' | 'give back' | 'end' };

test('the memory limit holds for any files, and a file without a part never waits', async () => {
  const steps = fc.array(
    fc.record<Step>({
      file: fc.nat(4),
      action: fc.constantFrom<Step['action'][]>(
        'take',
        'take',
        'take',
        'give back',
        'give back',
        'end',
      ),
    }),
    { maxLength: 60 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat(3), steps, async (extra, moves) => {
      const memory = createPartMemory(extra);
      const opened = () => ({ parts: memory.open(), held: [] as Buffer[], waiting: 0 });
      const files = Array.from({ length: 5 }, opened);
      const takeBy = (file: { parts: FileParts; held: Buffer[]; waiting: number }) => {
        file.waiting += 1;
        file.parts.take(BYTES).then((buffer) => {
          file.waiting -= 1;
          file.held.push(buffer);
        });
      };
      for (const { file: index, action } of moves) {
        const file = files[index];
        if (file === undefined) throw new Error('unreachable');
        if (action === 'take' && file.waiting === 0) takeBy(file);
        const given = action === 'give back' ? file.held.shift() : undefined;
        if (given !== undefined) file.parts.giveBack(given);
        if (action === 'end' && file.waiting === 0) {
          file.parts.end();
          files[index] = opened();
        }
        await setImmediate();
        const held = files.map((each) => each.held.length);
        const extras = held.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
        expect(extras).toBeLessThanOrEqual(extra);
        for (const { waiting, held: own } of files) {
          if (waiting > 0) expect(own.length).toBeGreaterThan(0);
          if (waiting > 0) expect(extras).toBe(extra);
        }
        const all = files.flatMap((each) => each.held);
        expect(new Set(all).size).toBe(all.length);
      }
    }),
  );
});
