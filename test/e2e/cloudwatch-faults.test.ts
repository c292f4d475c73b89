import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { logLines, runProgram } from '../support/program.ts';
import { BUCKET, manifestKeys, startWorld, type World } from './world.ts';

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

const warnings = (stdout: string) =>
  logLines(stdout).filter(({ event, message }) => event === 'warning' && /CloudWatch/.test(String(message)));

test.each(['error', 'throttle', 'hang'] as const)(
  'with CloudWatch in mode %s the backup succeeds, and one warning tells of it',
  async (mode) => {
    world.cloudwatch.fail(mode);
    const { code, stdout } = await runProgram(world.environment());
    expect(code).toBe(0);
    expect(await manifestKeys(world)).toHaveLength(1);
    expect(warnings(stdout)).toHaveLength(1);
    expect(world.cloudwatch.calls.length).toBeGreaterThan(0);
  },
);

test('with nothing at its endpoint too', async () => {
  const { code, stdout } = await runProgram(
    world.environment({ AWS_ENDPOINT_URL_CLOUDWATCH: 'http://127.0.0.1:1' }),
  );
  expect(code).toBe(0);
  expect(warnings(stdout)).toHaveLength(1);
});

test('a failure keeps its exit code when CloudWatch fails as well', async () => {
  world.cloudwatch.fail('error');
  const { code, stdout } = await runProgram(world.environment({ DATABASES: 'nowhere' }));
  expect(code).toBe(3);
  expect(logLines(stdout).filter(({ event }) => event === 'failed')).toHaveLength(1);
});

test('without a namespace nothing is sent', async () => {
  const { code } = await runProgram(world.environment({ METRICS_NAMESPACE: '' }));
  expect(code).toBe(0);
  expect(world.cloudwatch.calls).toEqual([]);
});

// One upload at a time: one that is cut may be stored all the same, and nobody knows.
test('what a failed run has uploaded adds up to what the store holds', async () => {
  world.s3.faults.add({
    operation: 'PutObject',
    skip: 8,
    times: Number.POSITIVE_INFINITY,
    action: { kind: 'error', status: 403, code: 'AccessDenied' },
  });
  const { code } = await runProgram(world.environment({ COMPRESS: 'none', UPLOAD_CONCURRENCY: '1' }));
  expect(code).toBe(5);
  const stored = await world.s3.objects(BUCKET);
  expect(stored.length).toBeGreaterThan(0);
  expect(world.cloudwatch.sum('BytesUploaded')).toBe(stored.reduce((sum, { size }) => sum + size, 0));
  expect(world.cloudwatch.sum('FilesUploaded')).toBe(stored.length);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
  expect(world.cloudwatch.datums.filter(({ name }) => name === 'BackupFailed')).toHaveLength(1);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(0);
});
