import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { BUCKET, startWorld, type World } from '../test/e2e/world.ts';
import { readOnlyManifest } from '../test/support/backup-folder.ts';
import { createBulkDatabase } from '../test/support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import { rowNumbers } from '../test/support/mariadb/sql.ts';
import { logLines, startProgram } from '../test/support/program.ts';

const MIB = 1024 * 1024;
/** Sizes of the databases `size_<n>`, in MB as dumped; each has one table. */
const MEGABYTES = [200, 1000, 5000] as const;
const MOST_RESIDENT_BYTES = 300 * MIB;
const MOST_DESCRIPTORS = 200;
let db: MariaDb;
let world: World;

beforeAll(async () => {
  // With these settings the server creates five gigabytes in minutes.
  db = await startMariaDb({ config: ['innodb_buffer_pool_size=1G', 'innodb_log_file_size=1G'] });
  for (const megabytes of MEGABYTES)
    await createBulkDatabase(db, {
      name: `size_${megabytes}`,
      megabytes,
      tables: 1,
      rowBytes: 1000,
    });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

type Measured = {
  readonly files: number;
  readonly largestBytes: number;
  readonly dumpedBytes: number;
  readonly residentBytes: number;
  readonly descriptors: number;
  readonly tailSeconds: number;
  readonly seconds: number;
};

/**
 * Backs up and measures the program from outside: its peak resident set, its descriptors, and the
 * seconds after mydumper's end.
 */
async function measure(environment: Record<string, string>): Promise<Measured> {
  const program = startProgram(world.environment({ LOG_LEVEL: 'INFO', ...environment }));
  let residentBytes = 0;
  let descriptors = 0;
  const timer = setInterval(() => {
    try {
      const status = readFileSync(`/proc/${program.pid}/status`, 'latin1');
      residentBytes = Math.max(
        residentBytes,
        Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024,
      );
      descriptors = Math.max(descriptors, readdirSync(`/proc/${program.pid}/fd`).length);
    } catch {
      // it has just ended
    }
  }, 50);
  const { code, stdout } = await program.ended.finally(() => clearInterval(timer));
  expect({ code, log: code === 0 ? '' : stdout.slice(-5000) }).toEqual({ code: 0, log: '' });
  const lines = logLines(stdout);
  const at = (name: string) =>
    Date.parse(String(lines.find(({ event }) => event === name)?.timestamp)) / 1000;
  const { totals, files } = await readOnlyManifest(world.s3, BUCKET);
  return {
    files: totals.files,
    largestBytes: Math.max(...files.map(({ dumpedBytes }) => dumpedBytes)),
    dumpedBytes: totals.dumpedBytes,
    residentBytes,
    descriptors,
    tailSeconds: at('succeeded') - at('dumpFinished'),
    seconds: at('succeeded') - at('started'),
  };
}

function say(what: string, measured: Measured): void {
  const { dumpedBytes, files, largestBytes, residentBytes, descriptors, tailSeconds, seconds } =
    measured;
  console.log(
    `${what}: ${Math.round(dumpedBytes / 1e6)} MB in ${files} files, ` +
      `the largest ${Math.round(largestBytes / 1e6)} MB; ` +
      `peak resident ${Math.round(residentBytes / MIB)} MiB, ${descriptors} descriptors; ` +
      `${seconds.toFixed(1)} s, of which ${tailSeconds.toFixed(2)} s after mydumper's end`,
  );
}

const residentOf = new Map<string, number[]>();

test.each(
  (['none', 'zstd'] as const).flatMap((compression) =>
    MEGABYTES.map((megabytes) => ({ compression, megabytes })),
  ),
)(
  'memory and descriptors: one file of $megabytes MB, COMPRESS=$compression',
  async ({ compression, megabytes }) => {
    const measured = await measure({
      DATABASES: `size_${megabytes}`,
      COMPRESS: compression,
      STAGING_LIMIT_MB: '128',
      CHUNK_FILE_SIZE_MB: '8192',
    });
    say(`one file, ${compression}`, measured);
    expect(measured.largestBytes).toBeGreaterThan(0.8e6 * megabytes);
    expect(measured.residentBytes).toBeLessThan(MOST_RESIDENT_BYTES);
    expect(measured.descriptors).toBeLessThan(MOST_DESCRIPTORS);
    residentOf.set(compression, [...(residentOf.get(compression) ?? []), measured.residentBytes]);
    const all = residentOf.get(compression) ?? [];
    expect(Math.max(...all) / Math.min(...all)).toBeLessThan(1.5);
  },
);

test.each(['1', '2048'])(
  'little is left to ship when mydumper ends, with files of %s MB',
  async (chunk) => {
    const measured = await measure({
      DATABASES: 'size_1000',
      STAGING_LIMIT_MB: '128',
      CHUNK_FILE_SIZE_MB: chunk,
    });
    say(`CHUNK_FILE_SIZE_MB=${chunk}`, measured);
    expect(measured.tailSeconds).toBeLessThan(measured.seconds / 4);
  },
);

test('100,000 small files', async () => {
  await db.query('CREATE DATABASE many');
  await db.query('CREATE TABLE many.rows (id int PRIMARY KEY, note char(20))');
  await db.query(
    `INSERT INTO many.rows SELECT seq, 'one of very many' FROM ${rowNumbers(db, 500_000)}`,
  );
  const measured = await measure({
    DATABASES: 'many',
    COMPRESS: 'none',
    STAGING_LIMIT_MB: '64',
    UPLOAD_CONCURRENCY: '16',
    MYDUMPER_ARGS: '--rows=5',
    // As the image starts it.
    NODE_OPTIONS: '--max-semi-space-size=2',
  });
  say('--rows=5', measured);
  expect(measured.files).toBeGreaterThan(99_000);
  expect(measured.residentBytes).toBeLessThan(2 * MOST_RESIDENT_BYTES);
  expect(measured.descriptors).toBeLessThan(MOST_DESCRIPTORS);
});
