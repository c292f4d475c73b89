import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BUCKET, startWorld, type World } from '../test/e2e/world.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../test/support/backup-folder.ts';
import {
  describeServer,
  differences,
  type ServerDescription,
} from '../test/support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../test/support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';
import { onTmpfs, startProgram } from '../test/support/program.ts';
import { sampleDirectory } from '../test/support/sampler.ts';

const MIB = 1024 * 1024;
/** Gigabytes are loaded on a busy machine. */
const LOAD_MILLISECONDS = 1_800_000;

type Network = 'fast' | 'slow' | 'stalling';
type Case = {
  budgetMiB: number;
  chunkMiB: number;
  threads: number;
  compression: string;
  network: Network;
};

/** 5 MB/s, or now and then a body that S3 does not read for 20 s. */
function shape(world: World, network: Network): void {
  if (network === 'slow') world.s3.setBandwidth(5e6);
  if (network !== 'stalling') return;
  world.s3.setBandwidth(40e6);
  for (const skip of [5, 20, 60]) {
    world.s3.faults.add({
      operation: ['PutObject', 'UploadPart'],
      skip,
      times: 4,
      action: { kind: 'stall', milliseconds: 20_000 },
    });
  }
}

function through(
  name: string,
  fill: (db: MariaDb) => Promise<string[]>,
  cases: readonly Case[],
): void {
  describe(name, () => {
    let db: MariaDb;
    let copy: MariaDb;
    let names: string[];
    let before: ServerDescription;
    let world: World;

    beforeAll(async () => {
      db = await startMariaDb();
      copy = await startMariaDb();
      names = await fill(db);
      before = await describeServer(db, names);
    });
    afterAll(async () => {
      await db?.stop();
      await copy?.stop();
    });
    beforeEach(async () => {
      world = await startWorld({ db });
    });
    afterEach(async () => {
      for (const database of names) await copy.query(`DROP DATABASE IF EXISTS \`${database}\``);
      await world?.stop();
    });

    test.each(cases)(
      'through a tmpfs of $budgetMiB MiB, chunks of $chunkMiB MiB, $threads threads, ' +
        '$compression, $network S3',
      async ({ budgetMiB, chunkMiB, threads, compression, network }) => {
        shape(world, network);
        const program = startProgram(
          world.environment({
            STAGING_LIMIT_MB: String(budgetMiB),
            CHUNK_FILE_SIZE_MB: String(chunkMiB),
            THREADS: String(threads),
            COMPRESS: compression,
            LOG_LEVEL: 'INFO',
          }),
          [],
          onTmpfs(world.staging, budgetMiB * MIB),
        );
        // Only the program's own root shows its tmpfs.
        const sampler = sampleDirectory(`/proc/${program.pid}/root${world.staging}`);
        const { code, stdout } = await program.ended.finally(sampler.stop);
        expect({ code, log: code === 0 ? '' : stdout.slice(-5000) }).toEqual({ code: 0, log: '' });
        const manifest = await readOnlyManifest(world.s3, BUCKET);
        const { totals, staging } = manifest;
        const times = (totals.dumpedBytes / staging.budgetBytes).toFixed(1);
        const share = (bytes: number) => (bytes / staging.budgetBytes).toFixed(3);
        console.log(
          `${times} times the budget; peak ÷ budget ${share(sampler.peakBytes())} from outside, ` +
            `${share(staging.peakStagedBytes)} in the manifest; ${staging.pauses} pauses, ` +
            `the longest ${staging.longestPauseSeconds.toFixed(1)} s`,
        );
        expect(sampler.samples()).toBeGreaterThan(100);
        expect(sampler.peakBytes()).toBeLessThanOrEqual(staging.budgetBytes);
        expect(staging.peakStagedBytes).toBeLessThanOrEqual(staging.budgetBytes);
        // Each misses moments that the other sees: a row of 60 MB comes and goes between two
        // samples.
        expect(sampler.peakBytes()).toBeGreaterThan(0.5 * staging.peakStagedBytes);
        expect(staging.peakStagedBytes).toBeGreaterThan(0.9 * sampler.peakBytes());
        const target = join(world.directory, 'unpacked');
        await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
        expect(
          await loadWithMyloader(copy, target, { timeoutMs: LOAD_MILLISECONDS }),
        ).toMatchObject({
          exitCode: 0,
          problems: [],
        });
        expect(differences(before, await describeServer(copy, names))).toEqual([]);
      },
    );
  });
}

const bulk = async (db: MariaDb) => {
  await createBulkDatabase(db, { name: 'bulk', megabytes: 400, tables: 8 });
  return ['bulk'];
};
const oneHugeTable = async (db: MariaDb) => {
  await createBulkDatabase(db, { name: 'huge', megabytes: 400, tables: 1 });
  return ['huge'];
};
const wide = (rows: number, bytes: number) => async (db: MariaDb) => {
  await createWideRows(db, { name: 'wide', rows, bytes });
  return ['wide'];
};

through('ordinary tables', bulk, [
  { budgetMiB: 16, chunkMiB: 1, threads: 4, compression: 'none', network: 'fast' },
  { budgetMiB: 16, chunkMiB: 1, threads: 4, compression: 'zstd', network: 'fast' },
  { budgetMiB: 16, chunkMiB: 1, threads: 4, compression: 'none', network: 'slow' },
  { budgetMiB: 10, chunkMiB: 1, threads: 4, compression: 'zstd', network: 'slow' },
  { budgetMiB: 16, chunkMiB: 1, threads: 4, compression: 'none', network: 'stalling' },
  { budgetMiB: 16, chunkMiB: 1, threads: 4, compression: 'zstd', network: 'stalling' },
]);
through('one table as one file', oneHugeTable, [
  { budgetMiB: 16, chunkMiB: 4096, threads: 1, compression: 'none', network: 'fast' },
  { budgetMiB: 16, chunkMiB: 4096, threads: 1, compression: 'zstd', network: 'fast' },
  { budgetMiB: 10, chunkMiB: 4096, threads: 1, compression: 'gzip', network: 'fast' },
  { budgetMiB: 16, chunkMiB: 4096, threads: 1, compression: 'none', network: 'stalling' },
]);
through('rows of 5 MB', wide(120, 5_000_000), [
  { budgetMiB: 24, chunkMiB: 1, threads: 2, compression: 'none', network: 'fast' },
  { budgetMiB: 24, chunkMiB: 16, threads: 2, compression: 'zstd', network: 'slow' },
]);
through('rows of 60 MB', wide(90, 60_000_000), [
  { budgetMiB: 256, chunkMiB: 1, threads: 2, compression: 'none', network: 'fast' },
  { budgetMiB: 256, chunkMiB: 64, threads: 2, compression: 'zstd', network: 'stalling' },
]);
