import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../test/e2e/world.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { createPairDatabase, type Pair, runPair } from '../test/support/run-pairs.ts';

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

const servers: { name: string; db: MariaDb }[] = [];
let world: World;

beforeAll(async () => {
  for (const name of ['left', 'right']) {
    const db = await startMariaDb();
    servers.push({ name, db });
    await createPairDatabase(db, name);
  }
  const [first] = servers;
  world = await startWorld(first === undefined ? {} : { db: first.db });
});
afterAll(async () => {
  await world?.stop();
  for (const { db } of servers) await db.stop();
});

test(`${PAIRS} pairs of runs, many in the same second, never share a folder`, async () => {
  let taken = 0;
  for (let number = 0; number < PAIRS; number += 1) {
    const fault = FAULTS[number % FAULTS.length];
    const aheadMilliseconds = AHEAD[number % AHEAD.length] ?? 0;
    taken += await runPair(
      world,
      servers,
      { aheadMilliseconds, ...(fault !== undefined && { fault }) },
      number,
    );
  }
  console.log(`${PAIRS} pairs: ${2 * PAIRS} backups, a folder was taken ${taken} times`);
  expect(taken).toBeGreaterThanOrEqual(PAIRS / 2);
});
