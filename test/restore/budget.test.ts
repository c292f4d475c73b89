import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { onTmpfs, startProgram } from '../support/program.ts';
import { into, makeBackup } from './setting.ts';

const MIB = 1024 * 1024;
const BUDGET_MIB = 2;

let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 42, tables: 2, rowBytes: 1000 });
  await makeBackup(world, { STAGING_LIMIT_MB: '8', THREADS: '4' });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});

test('a backup 20 times the budget is restored through a file system of the size of the budget', async () => {
  const { code, stdout } = await startProgram(
    into(world, copy, { STAGING_LIMIT_MB: String(BUDGET_MIB), THREADS: '2' }),
    ['restore'],
    onTmpfs(world.staging, BUDGET_MIB * MIB),
  ).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(differences(await describeServer(world.db, ['bulk']), await describeServer(copy, ['bulk']))).toEqual(
    [],
  );
});
