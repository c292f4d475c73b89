import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { runProgram } from '../support/program.ts';
import { BUCKET, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 10, tables: 2 });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

test('without a namespace nothing is sent', async () => {
  const { code } = await runProgram(world.environment({ METRICS_NAMESPACE: '' }));
  expect(code).toBe(0);
  expect(world.cloudwatch.calls).toEqual([]);
});

// One upload at a time: CloudWatch may store one that is cut, and the program cannot know.
test('what a failed run has uploaded adds up to what the store holds', async () => {
  world.s3.faults.add({
    operation: 'PutObject',
    skip: 8,
    times: Number.POSITIVE_INFINITY,
    action: { kind: 'error', status: 403, code: 'AccessDenied' },
  });
  const { code } = await runProgram(
    world.environment({ COMPRESS: 'none', UPLOAD_CONCURRENCY: '1' }),
  );
  expect(code).toBe(5);
  const stored = await world.s3.objects(BUCKET);
  expect(stored.length).toBeGreaterThan(0);
  expect(world.cloudwatch.sum('BytesUploaded')).toBe(
    stored.reduce((sum, { size }) => sum + size, 0),
  );
  expect(world.cloudwatch.sum('FilesUploaded')).toBe(stored.length);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
  expect(world.cloudwatch.datums.filter(({ name }) => name === 'BackupFailed')).toHaveLength(1);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(0);
});
