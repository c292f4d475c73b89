import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { generationOf } from '../support/installed-tools.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import {
  type Ended,
  logLines,
  type RunningProgram,
  runProgram,
  startProgram,
} from '../support/program.ts';
import type { Operation } from '../support/s3/server.ts';
import { BUCKET, leftInStaging, manifestKeys, startWorld, type World } from './world.ts';

const ALWAYS = Number.POSITIVE_INFINITY;
const BODIES: readonly Operation[] = ['PutObject', 'UploadPart'];
/** All that a role which can only add may do. */
const ADDING: readonly Operation[] = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
];

let db: MariaDb;
let world: World;
let program: RunningProgram | undefined;

beforeAll(async () => {
  db = await startMariaDb();
  // 1.x runs at least two threads, each of which writes a part of a table.
  await createBulkDatabase(db, {
    name: 'bulk',
    megabytes: generationOf() === 'classic' ? 14 : 36,
    tables: 2,
  });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await world?.stop();
});

const run = (extra: Record<string, string> = {}): Promise<Ended> =>
  runProgram(
    world.environment({
      DATABASES: 'bulk',
      COMPRESS: 'none',
      UPLOAD_RETRY_SECONDS: '30',
      ...extra,
    }),
  );

/** Files that are large enough to go up in parts. */
const IN_PARTS = { CHUNK_FILE_SIZE_MB: '64', PART_SIZE_MB: '5', THREADS: '1' };

async function expectWhole({ code, stdout }: Ended): Promise<void> {
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, join(world.directory, 'unpacked'));
  const [rows] = await db.query(
    'SELECT (SELECT COUNT(*) FROM bulk.bulk_0) + (SELECT COUNT(*) FROM bulk.bulk_1) n',
  );
  const data = manifest.files.filter(({ kind }) => kind === 'data');
  const texts = await Promise.all(data.map(({ key }) => world.s3.readObject(BUCKET, key)));
  const found = texts.map(
    (text) => text.toString('latin1').match(/^(?:INSERT .*VALUES ?|,)?\(\d+,/gm)?.length ?? 0,
  );
  expect(found.reduce((sum, count) => sum + count, 0)).toBe(Number(rows?.n));
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
}

async function expectFailed(
  { code, stdout }: Ended,
  exitCode: number,
  reason: RegExp,
): Promise<void> {
  const failures = logLines(stdout).filter(({ event }) => event === 'failed');
  expect(failures).toEqual([
    expect.objectContaining({ exitCode, reason: expect.stringMatching(reason) }),
  ]);
  expect(code).toBe(exitCode);
  expect(await manifestKeys(world)).toEqual([]);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(0);
}

test('uploads that are sent again are counted', async () => {
  const action = { kind: 'error', status: 503, code: 'SlowDown' } as const;
  world.s3.faults.add({ operation: BODIES, skip: 3, times: 6, action });
  const ended = await run();
  await expectWhole(ended);
  expect(world.cloudwatch.sum('UploadRetries')).toBeGreaterThanOrEqual(6);
  expect(
    logLines(ended.stdout).filter(({ event }) => event === 'retried').length,
  ).toBeGreaterThanOrEqual(6);
});

test('an outage longer than the retries loses nothing; the next run starts again', async () => {
  program = startProgram(
    world.environment({
      DATABASES: 'bulk',
      COMPRESS: 'none',
      UPLOAD_RETRY_SECONDS: '2',
      STAGING_LIMIT_MB: '64',
    }),
  );
  world.s3.setBandwidth(4e6);
  await program.printed('"event":"shipped"');
  world.s3.faults.add({ operation: ADDING, times: ALWAYS, action: { kind: 'reset' } });
  const { code, stdout } = await program.ended;
  expect(code).toBe(5);
  expect(await manifestKeys(world)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
  expect(stdout).toContain('were left in staging');

  // Each data file is in S3 under its name or still in staging, with all rows dumped so far.
  const left = leftInStaging(world);
  expect(left.some((name) => name.endsWith('.cnf'))).toBe(false);
  const stored = (await world.s3.objects(BUCKET)).map(({ key }) => key.split('/').at(-1));
  const shipped = logLines(stdout)
    .filter(({ event }) => event === 'shipped')
    .map(({ key }) => String(key).split('/').at(-1));
  for (const name of shipped) {
    expect(stored).toContain(name);
    expect(left).not.toContain(name);
  }
  const kept = left.filter((name) => name.endsWith('.sql'));
  expect(kept).not.toEqual([]);
  for (const name of kept)
    expect(readFileSync(join(world.staging, name)).byteLength).toBeGreaterThan(0);

  world.s3.faults.clear();
  world.s3.setBandwidth(undefined);
  for (const { key, uploadId } of await world.s3.multipartUploads(BUCKET))
    expect([key, uploadId]).toHaveLength(2);
  const again = await run();
  expect(again.code).toBe(0);
  expect(again.stdout).toContain('cleared leftovers');
  expect(await manifestKeys(world)).toHaveLength(1);
  expect(leftInStaging(world)).toEqual([]);
});

test('a manifest that is there already is not replaced', async () => {
  const action = { kind: 'error', status: 412, code: 'PreconditionFailed' } as const;
  world.s3.faults.add({ operation: 'PutObject', key: /manifest\.json$/, times: ALWAYS, action });
  await expectFailed(await run(), 5, /manifest\.json.*PreconditionFailed/);
});

test('a folder claimed by another run stays untouched; the run takes the next second', async () => {
  const action = { kind: 'error', status: 412, code: 'PreconditionFailed' } as const;
  world.s3.faults.add({ operation: 'PutObject', key: /claim\.json$/, times: 2, action });
  const ended = await run();
  await expectWhole(ended);
  const messages = logLines(ended.stdout).map(({ message }) => String(message));
  expect(
    messages.filter((message) => /is taken, .* takes the next second$/.test(message)),
  ).toHaveLength(2);
});

test('a run that fails leaves its claim in a folder that is no backup', async () => {
  world.s3.faults.add({
    operation: 'PutObject',
    key: /\.sql$/,
    times: ALWAYS,
    action: { kind: 'error', status: 403, code: 'AccessDenied' },
  });
  await expectFailed(await run(), 5, /access denied/);
  expect((await world.s3.objects(BUCKET)).map(({ key }) => key)).toContainEqual(
    expect.stringMatching(/\/claim\.json$/),
  );
  const { stdout } = await runProgram(world.environment(), ['list', '--all', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({ backups: [{ state: 'incomplete' }] });
  const verified = await runProgram(world.environment(), ['verify', '--json']);
  expect(verified.code).toBe(3);
  expect(verified.stderr).toContain('no complete backup');
});

test('each object of a backup is written on condition that its key does not exist', async () => {
  await expectWhole(await run(IN_PARTS));
  const written = world.s3.requests.filter(
    ({ operation }) => operation === 'PutObject' || operation === 'CompleteMultipartUpload',
  );
  expect(new Set(written.map(({ operation }) => operation)).size).toBe(2);
  expect(written.filter(({ ifNoneMatch }) => ifNoneMatch !== '*')).toEqual([]);
});

test('a role that can only add is enough, and nothing else is asked for', async () => {
  await expectWhole(await run(IN_PARTS));
  const asked = new Set(world.s3.requests.map(({ operation }) => operation));
  expect([...asked].filter((operation) => !ADDING.includes(operation as Operation))).toEqual([]);
});

test('what arrives is what mydumper wrote, byte for byte', async () => {
  const ended = await run();
  await expectWhole(ended);
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  const target = join(world.directory, 'unpacked');
  expect(readdirSync(target).toSorted()).toEqual(manifest.files.map(({ name }) => name).toSorted());
  for (const { name, sha256 } of manifest.files) {
    expect(
      createHash('sha256')
        .update(readFileSync(join(target, name)))
        .digest('hex'),
    ).toBe(sha256);
  }
});
