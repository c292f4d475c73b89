/**
 * How fast `restore` is, as a ratio in one run: against plain `myloader -d` on the fully downloaded and unpacked directory, with the same
 * number of threads, into the same server. Plain myloader's download is not counted, ours is. `npm run bench:restore [MiB] [rounds]`.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatBytes, formatDuration } from '../app/observe/format.ts';
import { BUCKET, startWorld } from '../test/e2e/world.ts';
import { dropAll, makeBackup, restoreInto } from '../test/restore/setting.ts';
import { objectsOf, readOnlyManifest, unpackBackup } from '../test/support/backup-folder.ts';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { startMariaDb } from '../test/support/mariadb/harness.ts';
import { loadWithMyloader } from '../test/support/mariadb/tools.ts';

const [megabytes = 400, rounds = 3] = process.argv.slice(2).map(Number);
const THREADS = 2;
const CHUNK_MIB = 4;
const BUDGET_MIB = 64;

async function timed(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return (performance.now() - since) / 1000;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? Number.NaN;
}

const world = await startWorld();
const copy = await startMariaDb();
try {
  await createBulkDatabase(world.db, { name: 'bulk', megabytes, tables: 6 });
  await makeBackup(world, { CHUNK_FILE_SIZE_MB: String(CHUNK_MIB) });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  const unpacked = join(world.directory, 'unpacked');
  await unpackBackup(objectsOf(world.s3, BUCKET), manifest, unpacked);
  const plain: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    plain.push(
      await timed(async () => {
        const { exitCode, output } = await loadWithMyloader(copy, unpacked, {
          threads: THREADS,
          timeoutMs: 3_600_000,
        });
        if (exitCode !== 0) throw new Error(output);
      }),
    );
    await dropAll(copy);
    ours.push(
      await timed(async () => {
        const { code, stdout } = await restoreInto(world, copy, [], {
          THREADS: String(THREADS),
          STAGING_LIMIT_MB: String(BUDGET_MIB),
          LOG_LEVEL: 'INFO',
        });
        if (code !== 0) throw new Error(stdout);
      }),
    );
    await dropAll(copy);
    console.log(`plain ${formatDuration(plain.at(-1) ?? 0)}, ours ${formatDuration(ours.at(-1) ?? 0)}`);
  }
  const ratio = median(ours) / median(plain);
  console.log(
    `${formatBytes(manifest.totals.dumpedBytes)} through ${BUDGET_MIB} MiB, ${THREADS} threads: plain ${formatDuration(median(plain))}, ours ${formatDuration(median(ours))}, ratio ${ratio.toFixed(2)}`,
  );
  rmSync(unpacked, { recursive: true });
} finally {
  await copy.stop();
  await world.stop();
}
