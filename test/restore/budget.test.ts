import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { onTmpfs, startProgram } from '../support/program.ts';
import { into, makeBackup, restoreInto } from './setting.ts';

const MIB = 1024 * 1024;
const BUDGET_MIB = 2;

let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 14, tables: 2, rowBytes: 1000 });
  await makeBackup(world, { STAGING_LIMIT_MB: '8', THREADS: '4' });
  await createWideRows(world.db, { name: 'wide', rows: 3, bytes: 4_000_000 });
  await makeBackup(world, { SOURCE: 'wide', DATABASES: 'wide' });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});

// soak/restore-budget.test.ts runs this 20 times.
test('a backup many times the budget is restored within a disk of that size', async () => {
  const { code, stdout } = await startProgram(
    into(world, copy, { STAGING_LIMIT_MB: String(BUDGET_MIB), THREADS: '2' }),
    ['restore'],
    onTmpfs(world.staging, BUDGET_MIB * MIB),
  ).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(
    differences(await describeServer(world.db, ['bulk']), await describeServer(copy, ['bulk'])),
  ).toEqual([]);
});

test('exit 6 names the smallest limit for a row, and the command resumes with it', async () => {
  const withLimit = (mebibytes: number) => ({
    SOURCE: 'wide',
    STAGING_LIMIT_MB: String(mebibytes),
  });
  const refused = await restoreInto(world, copy, [], withLimit(BUDGET_MIB));
  expect(refused.code).toBe(6);
  const [, bytes, limit] =
    /wide\.wide[^ ]*: a statement of (\d+) bytes, at byte \d+, does not fit into the staging budget; set STAGING_LIMIT_MB to (\d+) or more/.exec(
      refused.stdout,
    ) ?? [];
  expect(Number(bytes)).toBeGreaterThan(4_000_000);
  const enough = Number(limit);
  expect((await restoreInto(world, copy, [], withLimit(enough - 1))).code).toBe(6);
  const { code, stdout } = await startProgram(
    into(world, copy, withLimit(enough)),
    ['restore'],
    onTmpfs(world.staging, enough * MIB),
  ).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(
    differences(await describeServer(world.db, ['wide']), await describeServer(copy, ['wide'])),
  ).toEqual([]);
});
