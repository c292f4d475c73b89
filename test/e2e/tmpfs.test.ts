import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { onTmpfs, startProgram } from '../support/program.ts';
import { BUCKET, startWorld, type World } from './world.ts';

const MIB = 1024 * 1024;
const BUDGET_MIB = 12;
let db: MariaDb;
let copy: MariaDb;
let before: ServerDescription;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  copy = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 66, tables: 4, rowBytes: 1000 });
  await createWideRows(db, { name: 'wide', rows: 6, bytes: 1_500_000 });
  before = await describeServer(db, ['bulk', 'wide']);
});
afterAll(async () => {
  await db?.stop();
  await copy?.stop();
});
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  await world?.stop();
});

/** The proof of the disk budget: a file system that holds the budget and no page more. */
test('a dump many times its size gets through a file system of the budget', async () => {
  world.s3.setBandwidth(10e6);
  const { code, stdout } = await startProgram(
    world.environment({ STAGING_LIMIT_MB: String(BUDGET_MIB), CHUNK_FILE_SIZE_MB: '1', THREADS: '2' }),
    [],
    onTmpfs(world.staging, BUDGET_MIB * MIB),
  ).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.totals.dumpedBytes).toBeGreaterThan(5 * BUDGET_MIB * MIB);

  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
  expect(differences(before, await describeServer(copy, ['bulk', 'wide']))).toEqual([]);
});
