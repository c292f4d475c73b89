import { expect, test } from 'vitest';
import { type Pair, runPair, usePairs } from '../test/support/run-pairs.ts';

const PAIRS = 50;
/** Milliseconds by which the second clock is ahead. */
const AHEAD = [0, 0, 150, -150, 400, 1000, -1000, 3_600_000, -86_400_000, 0];
const FAULTS: readonly Pair['fault'][] = [
  undefined,
  { action: { kind: 'lost-answer' } },
  { skip: 1, times: 2, action: { kind: 'lost-answer' } },
  { action: { kind: 'cut-answer' } },
  { action: { kind: 'stall', milliseconds: 1000 } },
  { times: 2, action: { kind: 'error', status: 409, code: 'ConditionalRequestConflict' } },
  { times: 3, action: { kind: 'error', status: 503, code: 'SlowDown' } },
];

const { servers, world } = usePairs();

test(`${PAIRS} pairs of runs, many in the same second, never share a folder`, async () => {
  let taken = 0;
  for (let number = 0; number < PAIRS; number += 1) {
    const fault = FAULTS[number % FAULTS.length];
    const aheadMilliseconds = AHEAD[number % AHEAD.length] ?? 0;
    taken += await runPair(
      world(),
      servers,
      { aheadMilliseconds, ...(fault !== undefined && { fault }) },
      number,
    );
  }
  console.log(`${PAIRS} pairs: ${2 * PAIRS} backups, a folder was taken ${taken} times`);
  expect(taken).toBeGreaterThanOrEqual(PAIRS / 2);
});
