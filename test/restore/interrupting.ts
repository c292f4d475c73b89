import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { leftInStaging, startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { processesWith } from '../support/processes.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { databasesOf, dropAll, into, makeBackup, restoreInto } from './setting.ts';

const SHUTDOWN_MILLISECONDS = 20_000;
const PIECES = '`mydumper_fargate_restore`.`pieces`';

export let world: World;
export let copy: MariaDb;
let before: ServerDescription;
let program: RunningProgram | undefined;

/**
 * Servers and backups for a file of tests: InnoDB in files of 1 MiB and one MyISAM table
 * (`chunks`). `huge` has the same content in one file for each table, larger than a batch.
 */
export function useInterruptions(sources: readonly ('chunks' | 'huge')[]): void {
  beforeAll(async () => {
    world = await startWorld();
    // What it told to be committed must be there after a SIGKILL.
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

const small = (source: string) => ({ SOURCE: source, STAGING_LIMIT_MB: '6', THREADS: '2' });

export async function loadedIds(): Promise<number[]> {
  const rows = await copy.query(`SELECT id FROM ${PIECES} WHERE loaded = 1`).catch(() => []);
  return rows.map(({ id }) => Number(id));
}

/** Files that are loaded and stay so: of InnoDB tables in which nothing is half loaded. */
async function loadedFiles(ids: readonly number[]): Promise<string[]> {
  const pieces = await copy.query(`SELECT id, file, begun, loaded FROM ${PIECES}`);
  const tableOf = (file: unknown) => String(file).split('.')[1];
  const spoiled = pieces
    .filter(({ begun, loaded }) => begun === 1 && loaded === 0)
    .map(({ file }) => tableOf(file));
  return pieces
    .filter(({ id, file }) => ids.includes(Number(id)) && !spoiled.includes(tableOf(file)))
    .map(({ file }) => String(file));
}

/** A restore over a slow network, some of whose pieces are loaded. */
export async function inTheMiddle(source: string): Promise<RunningProgram> {
  world.s3.setBandwidth(source === 'huge' ? 1.5e6 : 5e6);
  const running = startProgram(into(world, copy, small(source)), ['restore']);
  program = running;
  await vi.waitFor(async () => expect((await loadedIds()).length).toBeGreaterThan(3), {
    timeout: 60_000,
    interval: 5,
  });
  return running;
}

/** The same command again ends in what the source is, without fetching what was loaded. */
export async function goesOn(source: string, kept: readonly number[]): Promise<void> {
  world.s3.setBandwidth(undefined);
  const wholeFiles = await loadedFiles(kept);
  const asked = world.s3.requests.length;
  const { code, stdout } = await restoreInto(world, copy, ['--check'], small(source));
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(stdout).toContain('resuming the restore begun at');
  expect(kept.length).toBeGreaterThan(0);
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
  expect(await databasesOf(copy)).toEqual(['shop']);
  expect(leftInStaging(world)).toEqual([]);
  const fetched = world.s3.requests.slice(asked).map(({ key }) => key);
  if (source === 'chunks')
    expect(fetched.filter((key) => wholeFiles.some((file) => key.endsWith(`/${file}`)))).toEqual(
      [],
    );
}

/** A signal ends it in time with the exit code, and leaves no myloader and nothing staged. */
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
  expect(processesWith(`--directory=${world.staging}`)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
}

/** SIGKILL takes myloader along; what was staged stays for the next run to clear. */
export async function dies(source: string): Promise<void> {
  const running = await inTheMiddle(source);
  running.child.kill('SIGKILL');
  await running.ended;
  await vi.waitFor(() => expect(processesWith(`--directory=${world.staging}`)).toEqual([]), {
    timeout: 5000,
  });
  expect(leftInStaging(world)).not.toEqual([]);
}
