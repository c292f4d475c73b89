import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { generationOf } from '../support/installed-tools.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { startProgram } from '../support/program.ts';
import { sampleDirectory } from '../support/sampler.ts';
import { BUCKET, leftInStaging, startWorld, type World } from './world.ts';

const MIB = 1024 * 1024;
const BUDGET_MIB = 16;
let db: MariaDb;
let copy: MariaDb;
let before: ServerDescription;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  copy = await startMariaDb();
  // 1.x writes half of the table into each of two files.
  const megabytes = generationOf() === 'classic' ? 30 : 50;
  await createBulkDatabase(db, { name: 'bulk', megabytes, tables: 1, rowBytes: 1000 });
  before = await describeServer(db, ['bulk']);
});
afterAll(async () => {
  await copy?.stop();
  await db?.stop();
});
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  await copy.query('DROP DATABASE IF EXISTS bulk');
  await world?.stop();
});

// gzip: soak/tmpfs.test.ts, one table as one file.
test.each(['none', 'zstd'])(
  'with COMPRESS=%s files many times the budget go up while mydumper writes them',
  async (compression) => {
    world.s3.setBandwidth(60e6);

    const sampler = sampleDirectory(world.staging);
    const { code, stdout } = await startProgram(
      world.environment({
        STAGING_LIMIT_MB: String(BUDGET_MIB),
        CHUNK_FILE_SIZE_MB: '1024',
        THREADS: '2',
        COMPRESS: compression,
      }),
    ).ended.finally(sampler.stop);
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });

    const manifest = await readOnlyManifest(world.s3, BUCKET);
    const largest = Math.max(...manifest.files.map(({ dumpedBytes }) => dumpedBytes));
    expect(largest).toBeGreaterThan(1.5 * BUDGET_MIB * MIB);
    expect(sampler.peakBytes()).toBeLessThanOrEqual(BUDGET_MIB * MIB);
    expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(BUDGET_MIB * MIB);
    expect(leftInStaging(world)).toEqual([]);
    expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);

    const target = join(world.directory, 'unpacked');
    await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
    expect(await loadWithMyloader(copy, target)).toMatchObject({ exitCode: 0, problems: [] });
    expect(differences(before, await describeServer(copy, ['bulk']))).toEqual([]);
  },
);
