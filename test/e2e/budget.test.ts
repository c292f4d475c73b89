import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { generationOf } from '../support/installed-tools.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { logLines, startProgram } from '../support/program.ts';
import { sampleDirectory } from '../support/sampler.ts';
import { BUCKET, leftInStaging, startWorld, type World } from './world.ts';

const MIB = 1024 * 1024;
let db: MariaDb;
let copy: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  copy = await startMariaDb();
});
afterAll(async () => {
  await copy?.stop();
  await db?.stop();
});
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  for (const server of [db, copy])
    for (const name of ['bulk', 'shop', 'wide'])
      await server.query(`DROP DATABASE IF EXISTS ${name}`);
  await world?.stop();
});

test('a slow S3: staging stays within budget, mydumper pauses, every row arrives', async () => {
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 54, tables: 6, rowBytes: 1000 });
  const before = await describeServer(world.db, ['bulk']);
  world.s3.setBandwidth(15e6);

  const sampler = sampleDirectory(world.staging);
  const program = startProgram(
    world.environment({ STAGING_LIMIT_MB: '12', CHUNK_FILE_SIZE_MB: '1', COMPRESS: 'none' }),
  );
  const { code, stdout } = await program.ended.finally(sampler.stop);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });

  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.totals.dumpedBytes).toBeGreaterThan(4 * 12 * MIB);
  expect(sampler.samples()).toBeGreaterThan(100);
  expect(sampler.peakBytes()).toBeGreaterThan(5 * MIB);
  expect(sampler.peakBytes()).toBeLessThanOrEqual(12 * MIB);
  expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(12 * MIB);

  const events = logLines(stdout).map(({ event }) => event);
  const paused = logLines(stdout).filter(({ event }) => event === 'pause' || event === 'paused');
  expect(manifest.staging.pauses).toBeGreaterThan(0);
  expect(paused).toHaveLength(manifest.staging.pauses);
  expect(events).toContain(events.includes('resume') ? 'resume' : 'resumed');
  expect(manifest.staging.pausedSeconds).toBeGreaterThan(0);
  expect(manifest.staging.lockedPausedSeconds).toBe(0);
  expect(world.cloudwatch.sum('Pauses')).toBe(manifest.staging.pauses);
  expect(paused[0]).toMatchObject({ reason: expect.any(String), stagedBytes: expect.any(Number) });

  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
  expect(differences(before, await describeServer(copy, ['bulk']))).toEqual([]);
});

test('the default budget of 10 MiB works on an ordinary database', async () => {
  await createBulkDatabase(world.db, { name: 'shop', megabytes: 14, tables: 8, rowBytes: 1000 });
  const before = await describeServer(world.db, ['shop']);
  const { STAGING_LIMIT_MB: _, ...environment } = world.environment();
  const { code, stdout } = await startProgram(environment).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.staging.budgetBytes).toBe(10 * MIB);
  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});

test('rows of half the budget get through it', async () => {
  await createWideRows(world.db, { name: 'wide', rows: 12, bytes: 3_000_000 });
  const before = await describeServer(world.db, ['wide']);
  const { code, stdout } = await startProgram(
    world.environment({ STAGING_LIMIT_MB: '12', CHUNK_FILE_SIZE_MB: '64', THREADS: '1' }),
  ).ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(12 * MIB);
  const target = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
  expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
  expect(differences(before, await describeServer(copy, ['wide']))).toEqual([]);
});

test.each(['none', 'zstd'])('the smallest budget works with COMPRESS=%s', async (compression) => {
  // 1.x runs at least two threads, each with an uncompressed file of at least 1 MiB.
  const smallestMiB = generationOf() === 'modern' && compression === 'none' ? 3 : 1;
  await createBulkDatabase(world.db, { name: 'shop', megabytes: 12, tables: 3 });
  const sampler = sampleDirectory(world.staging);
  const { code, stdout } = await startProgram(
    world.environment({
      COMPRESS: compression,
      CHUNK_FILE_SIZE_MB: '64',
      DATABASES: 'shop',
      STAGING_LIMIT_MB: String(smallestMiB),
    }),
  ).ended.finally(sampler.stop);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.totals.dumpedBytes).toBeGreaterThan(10 * MIB);
  expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(smallestMiB * MIB);
  expect(sampler.peakBytes()).toBeLessThanOrEqual(smallestMiB * MIB);
});

test('a row larger than the budget: exit 6 with its table and a sufficient budget', async () => {
  await world.db.query('CREATE DATABASE wide');
  await world.db.query('CREATE TABLE wide.rows (id int PRIMARY KEY, body longblob)');
  await world.db.query("INSERT INTO wide.rows VALUES (1, REPEAT('x', 20000000))");
  const { code, stdout } = await startProgram(
    world.environment({ STAGING_LIMIT_MB: '10', CHUNK_FILE_SIZE_MB: '8', THREADS: '1' }),
  ).ended;
  expect(code).toBe(6);
  const { reason } = logLines(stdout).find(({ event }) => event === 'failed') ?? {};
  expect(reason).toMatch(/wide\.rows.* row of about 20\d{6} bytes.*STAGING_LIMIT_MB to \d+/);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
});
