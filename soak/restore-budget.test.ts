import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../test/e2e/world.ts';
import { dropAll, into, makeBackup } from '../test/restore/setting.ts';
import { describeServer, differences } from '../test/support/mariadb/compare.ts';
import { createBulkDatabase, createWideRows } from '../test/support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { onTmpfs, startProgram } from '../test/support/program.ts';

const MIB = 1024 * 1024;
let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 330, tables: 4 });
  await createWideRows(world.db, { name: 'wide', rows: 90, bytes: 5_000_000 });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
afterEach(() => dropAll(copy));

/** The file system holds the budget and not a page more. */
test.each([
  { database: 'bulk', budgetMiB: 16, chunkMiB: '1', compression: 'none' },
  { database: 'bulk', budgetMiB: 16, chunkMiB: '4096', compression: 'zstd' },
  { database: 'bulk', budgetMiB: 4, chunkMiB: '64', compression: 'gzip' },
  { database: 'wide', budgetMiB: 24, chunkMiB: '16', compression: 'zstd' },
])(
  '$database in files of $chunkMiB MiB, COMPRESS=$compression, through a tmpfs of $budgetMiB MiB',
  async ({ database, budgetMiB, chunkMiB, compression }) => {
    const options = { SOURCE: `${database}-${chunkMiB}`, DATABASES: database };
    await makeBackup(world, {
      ...options,
      CHUNK_FILE_SIZE_MB: chunkMiB,
      COMPRESS: compression,
      STAGING_LIMIT_MB: '64',
      THREADS: '2',
    });
    const { code, stdout } = await startProgram(
      into(world, copy, { ...options, STAGING_LIMIT_MB: String(budgetMiB), LOG_LEVEL: 'INFO' }),
      ['restore', '--check'],
      onTmpfs(world.staging, budgetMiB * MIB),
    ).ended;
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
    expect(
      differences(
        await describeServer(world.db, [database]),
        await describeServer(copy, [database]),
      ),
    ).toEqual([]);
  },
);
