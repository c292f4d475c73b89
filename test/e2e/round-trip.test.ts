import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { objectsOf, readOnlyManifest, unpackBackup } from '../support/backup-folder.ts';
import { generationOf } from '../support/installed-tools.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase, createNastyDatabases } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { quoteName } from '../support/mariadb/sql.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { ARCHIVE, SHOP } from '../support/recording/dataset.ts';
import { BUCKET, leftInStaging, startWorld, type World } from './world.ts';

/**
 * Dumps of 1.x hold neither the SQL mode of programs nor the time zone of events. myloader creates
 * them with those of the files (docs/mydumper.md).
 */
const LOST_BY_MYLOADER =
  generationOf() === 'classic'
    ? /^$/
    : /^(?:trigger|procedure|function|event) .*: (?:sql_mode|time_zone): /s;

let db: MariaDb;
let copy: MariaDb;
let databases: string[];
let before: ServerDescription;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  copy = await startMariaDb();
  databases =
    generationOf() === 'classic'
      ? await createNastyDatabases(db, { seed: 7, rows: 25 })
      : // Preflight refuses names and types that 1.x loses; test/compat has those it keeps.
        await createRecorded();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 8, tables: 6, rowBytes: 1000 });
  databases.push('bulk');
  before = await describeServer(db, databases);
});
afterAll(async () => {
  await copy?.stop();
  await db?.stop();
});
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  for (const name of databases) await copy.query(`DROP DATABASE IF EXISTS ${quoteName(name)}`);
  await world?.stop();
});

/** The databases of the recordings of 1.x that a user backs up. */
async function createRecorded(): Promise<string[]> {
  for (const statement of [...SHOP, ...ARCHIVE]) await db.query(statement);
  return ['shop', 'archive'];
}

/** Command lines of all processes, looked at again and again until the program ends. */
async function watchCommandLines(program: RunningProgram): Promise<string> {
  let seen = '';
  const timer = setInterval(() => {
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      try {
        seen += readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        // gone
      }
    }
  }, 20);
  await program.ended.finally(() => clearInterval(timer));
  return seen;
}

function unreachable(): never {
  throw new Error('there is no claim in the manifest');
}

// test/compat covers zstd.
test.each(['none', 'gzip'])(
  'with COMPRESS=%s everything arrives and loads equal',
  async (compression) => {
    const program = startProgram(
      world.environment({ COMPRESS: compression, PREFIX: 'nightly/eu' }),
    );
    const commandLines = await watchCommandLines(program);
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stderr, stdout: code === 0 ? '' : stdout }).toEqual({
      code: 0,
      stderr: '',
      stdout: '',
    });

    const manifest = await readOnlyManifest(world.s3, BUCKET);
    expect(manifest.source).toBe('test-db');
    expect(manifest.server.vendor).toBe(db.vendor);
    expect(manifest.consistency).toMatchObject({
      lock: 'ftwrl',
      lockedSeconds: expect.any(Number),
    });
    expect(manifest.databases.toSorted()).toEqual(databases.toSorted());
    expect(manifest.staging.peakStagedBytes).toBeLessThanOrEqual(manifest.staging.budgetBytes);
    expect(new Set(manifest.files.map(({ kind }) => kind))).toEqual(
      new Set(['schema', 'data', 'view', 'triggers', 'post', 'metadata']),
    );

    // S3 holds the objects of the manifest and no others, each with the checksum that S3 keeps
    // itself.
    const folder = `nightly/eu/test-db/${manifest.backupId}/`;
    const stored = await world.s3.objects(BUCKET);
    expect(stored.map(({ key }) => key).toSorted()).toEqual(
      [
        ...manifest.files.map(({ key }) => key),
        `${folder}claim.json`,
        `${folder}manifest.json`,
      ].toSorted(),
    );
    const byKey = new Map(stored.map((object) => [object.key, object]));
    for (const file of [...manifest.files, manifest.claim ?? unreachable()]) {
      expect(file.key.startsWith(folder)).toBe(true);
      expect(byKey.get(file.key)).toMatchObject({
        size: file.storedBytes,
        checksum: { algorithm: 'CRC32', value: file.crc32, type: 'FULL_OBJECT' },
      });
    }

    const target = join(world.directory, 'unpacked');
    await unpackBackup(objectsOf(world.s3, BUCKET), manifest, target);
    const loaded = await loadWithMyloader(copy, target);
    expect(loaded).toMatchObject({ exitCode: 0, problems: [] });
    const changed = differences(before, await describeServer(copy, databases));
    expect(changed.filter((line) => !LOST_BY_MYLOADER.test(line))).toEqual([]);

    // Nothing is left and nothing was given away.
    expect(leftInStaging(world)).toEqual([]);
    expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
    const everything = [commandLines, stdout, stderr, JSON.stringify(manifest)].join('\n');
    expect(commandLines).toContain('mydumper');
    expect(everything).not.toContain(world.db.password);
    expect(everything).not.toContain(JSON.stringify(world.db.password).slice(1, -1));
    expect(everything).not.toContain('test-secret');

    // Metrics add up to what the store holds.
    const metrics = world.cloudwatch;
    expect(metrics.sum('BytesUploaded')).toBe(stored.reduce((sum, { size }) => sum + size, 0));
    expect(metrics.sum('FilesUploaded')).toBe(stored.length);
    expect(metrics.sum('BytesDumped')).toBe(manifest.totals.dumpedBytes);
    expect(metrics.sum('BackupBytes')).toBe(manifest.totals.storedBytes);
    expect(metrics.datums.filter(({ name }) => name === 'BackupSucceeded')).toHaveLength(1);
    expect(metrics.datums.filter(({ name }) => name === 'BackupFailed')).toHaveLength(0);
    expect(metrics.datums.every(({ dimensions }) => dimensions.Source === 'test-db')).toBe(true);
  },
);
