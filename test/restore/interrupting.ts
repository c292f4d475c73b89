import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { databasesOf, dropAll, into, makeBackup, restoreInto } from './setting.ts';

const SHUTDOWN_MILLISECONDS = 20_000;
const MARKS = '`mydumper_fargate_restore`.`files`';

export let world: World;
export let copy: MariaDb;
let before: ServerDescription;
let program: RunningProgram | undefined;

/**
 * Servers and backups for a file of tests: InnoDB in files of 1 MiB and one MyISAM table
 * (`chunks`). `huge` has the same content in one file for each table.
 */
export function useInterruptions(sources: readonly ('chunks' | 'huge')[]): void {
  beforeAll(async () => {
    world = await startWorld();
    // What it reported as committed must be there after a SIGKILL.
    copy = await startMariaDb({ config: ['innodb_flush_log_at_trx_commit=1'] });
    await createBulkDatabase(world.db, { name: 'shop', megabytes: 14, tables: 2 });
    await world.db.query('CREATE TABLE shop.old (id int, t varchar(60)) ENGINE=MyISAM');
    await world.db.query(
      `INSERT INTO shop.old
       SELECT seq, LEFT(SHA2(seq, 224), 32) FROM ${rowNumbers(world.db, 60_000)}`,
    );
    before = await describeServer(world.db, ['shop']);
    for (const source of sources) await makeBackup(world, { SOURCE: source, ...BACKUPS[source] });
  });
  afterAll(async () => {
    await copy?.stop();
    await world?.stop();
  });
  afterEach(async () => {
    program?.child.kill('SIGKILL');
    await program?.ended;
    world.s3.setBandwidth(undefined);
    await dropAll(copy);
  });
}

const BACKUPS = {
  chunks: { COMPRESS: 'none' },
  huge: { COMPRESS: 'zstd', CHUNK_FILE_SIZE_MB: '1024' },
} as const;

const small = (source: string) => ({
  SOURCE: source,
  THREADS: '2',
  RESTORE_TRANSACTION_MB: '1',
});

type Mark = { readonly file: string; readonly loadedBytes: number; readonly judged: boolean };

/** Files with rows in the server. */
export async function loadedFiles(): Promise<Mark[]> {
  const rows = await copy
    .query(`SELECT file, loaded_bytes, judged FROM ${MARKS} WHERE loaded_bytes > 0`)
    .catch(() => []);
  return rows.map((row) => ({
    file: String(row.file),
    loadedBytes: Number(row.loaded_bytes),
    judged: Number(row.judged) === 1,
  }));
}

/** A restore over a slow network that has loaded some rows. */
export async function inTheMiddle(source: string): Promise<RunningProgram> {
  world.s3.setBandwidth(source === 'huge' ? 1.5e6 : 5e6);
  const running = startProgram(into(world, copy, small(source)), ['restore']);
  program = running;
  await vi.waitFor(
    async () => {
      const marks = await loadedFiles();
      const wanted = source === 'huge' ? marks : marks.filter(({ judged }) => judged);
      expect(wanted.length).toBeGreaterThan(source === 'huge' ? 0 : 3);
    },
    { timeout: 60_000, interval: 5 },
  );
  return running;
}

/** The same command again ends in what the source is, without reading what was loaded whole. */
export async function goesOn(source: string, kept: readonly Mark[]): Promise<void> {
  world.s3.setBandwidth(undefined);
  const asked = world.s3.requests.length;
  const { code, stdout } = await restoreInto(world, copy, ['--check'], small(source));
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(stdout).toContain('resuming the restore begun at');
  expect(kept.length).toBeGreaterThan(0);
  await isWhole();
  const fetched = world.s3.requests.slice(asked).map(({ key }) => key);
  const whole = kept.filter(({ judged, file }) => judged && !file.startsWith('shop.old'));
  expect(fetched.filter((key) => whole.some(({ file }) => key.includes(`/${file}`)))).toEqual([]);
}

/** The target holds what the source does, and no marks. */
export async function isWhole(): Promise<void> {
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
  expect(await databasesOf(copy)).toEqual(['shop']);
}

/** A signal ends it in time with the exit code. */
export async function endsBy(
  signal: 'SIGTERM' | 'SIGINT',
  exitCode: number,
  source: string,
): Promise<void> {
  const running = await inTheMiddle(source);
  running.child.kill(signal);
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), SHUTDOWN_MILLISECONDS);
  const { code, signal: killed } = await running.ended.finally(() => clearTimeout(deadline));
  expect({ code, killed }).toEqual({ code: exitCode, killed: null });
}

export async function dies(source: string): Promise<void> {
  const running = await inTheMiddle(source);
  running.child.kill('SIGKILL');
  await running.ended;
}
