import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { type HeldMyloader, writeHeldMyloader } from '../support/held-myloader.ts';
import { classicEnvironment } from '../support/installed-tools.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { dropAll, into, makeBackup, restoreInto } from './setting.ts';

const WAIT = { timeout: 60_000, interval: 10 };
/**
 * Rows of about 1 kB. A data file holds about 3000 of them in three statements. The first row is in
 * its first statement, LATER in its last.
 */
const ROWS = 10_000;
const LATER = 2900;
const FILES = [1, 2, 3].map((part) => `shop.first.0000${part}.sql`);

let world: World;
let copy: MariaDb;
let myloader: HeldMyloader;
/** Another client's transaction in the server that is restored into. */
let other: Connection;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await world.db.query('CREATE DATABASE shop');
  for (const [table, numbered] of [
    ['first', `1, ${LATER}`],
    ['later', `${LATER}`],
  ]) {
    // Without a primary key, so that rows that are loaded twice are there twice.
    await world.db.query(`CREATE TABLE shop.${table} (a int UNIQUE, filler varchar(1000))`);
    await world.db.query(
      `INSERT INTO shop.${table}
       SELECT IF(seq IN (${numbered}), seq, NULL), RPAD(seq, 980, SHA2(seq, 224))
       FROM ${rowNumbers(world.db, ROWS)}`,
    );
  }
  await makeBackup(world, { CHUNK_FILE_SIZE_MB: '3', ...classicEnvironment() });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
let times = 0;
beforeEach(async () => {
  times += 1;
  myloader = writeHeldMyloader(join(world.directory, `held-${times}`));
  other = await copy.connect();
});
afterEach(async () => {
  await other.end();
  await copy.query('SET GLOBAL innodb_lock_wait_timeout = DEFAULT');
  await dropAll(copy);
});

const options = (table: string) => ['--tables', table, '--check'];

/**
 * Runs a restore in which the loader of the first rows meets an open transaction with LATER in the
 * table.
 * @returns the number of that run of myloader, counted from 1.
 */
async function startBlocked(
  table: string,
  threads: number,
  limitMiB = 64,
): Promise<{ program: RunningProgram; blocked: number }> {
  const environment = {
    THREADS: String(threads),
    STAGING_LIMIT_MB: String(limitMiB),
    MYLOADER_BIN: myloader.path,
  };
  const program = startProgram(into(world, copy, environment), ['restore', ...options(table)]);
  onTestFinished(() => void program.child.kill('SIGKILL'));
  // Loaders side by side come in any order.
  const ofFirstRows = () =>
    1 + myloader.runs().findIndex(({ files }) => files.includes(`shop.${table}.00001.sql`));
  await vi.waitFor(() => expect(ofFirstRows()).toBeGreaterThan(0), WAIT);
  const blocked = ofFirstRows();
  await copy.query('CREATE TABLE shop.heavy (n int)');
  await other.beginTransaction();
  // The server gives up whichever of two transactions has changed less.
  await other.query(`INSERT INTO shop.heavy SELECT seq FROM ${rowNumbers(copy, 5 * ROWS)}`);
  await other.query(`INSERT INTO shop.${table} VALUES (${LATER}, '')`);
  myloader.go(blocked);
  return { program, blocked };
}

async function expectEqual(table: string): Promise<void> {
  const sum = async (db: MariaDb) => db.query(`CHECKSUM TABLE shop.${table}`);
  const count = async (db: MariaDb) => db.query(`SELECT COUNT(*) AS n FROM shop.${table}`);
  expect(await count(copy)).toEqual(await count(world.db));
  expect(await sum(copy)).toEqual(await sum(world.db));
}

/** myloader waits for us, and with this we for it. */
async function deadlock(): Promise<void> {
  await vi.waitFor(
    async () =>
      expect(await copy.query('SELECT 1 FROM information_schema.INNODB_LOCK_WAITS')).toHaveLength(
        1,
      ),
    // Asked more often than every 0.1 s the server gives the same answer again.
    { ...WAIT, interval: 250 },
  );
  await other.query("INSERT INTO shop.first VALUES (1, '')");
  await other.rollback();
}

async function expectLoaded(program: RunningProgram): Promise<void> {
  const { code, stdout } = await program.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(stdout).toContain('Deadlock found when trying to get lock');
  await expectEqual('first');
}

test('myloader 0.10: half the threads reload only the rows of a deadlock', async () => {
  // Too little for more than one loader.
  const { program } = await startBlocked('first', 4, 24);
  await deadlock();
  myloader.go(2);
  await expectLoaded(program);
  const [first, second, ...more] = myloader.runs();
  expect(more).toEqual([]);
  expect(first).toEqual({ threads: 4, files: FILES });
  expect(second).toEqual({ threads: 2, files: FILES.slice(0, 1) });
});

test('myloader 0.10: deadlocked rows are reloaded after all other loaders have ended', async () => {
  const { program, blocked } = await startBlocked('first', 2);
  await vi.waitFor(() => expect(myloader.runs()).toHaveLength(2), WAIT);
  await deadlock();
  await program.printed('Deadlock found when trying to get lock');
  await vi.waitFor(
    async () =>
      expect(
        await copy.query('SELECT 1 FROM `mydumper_fargate_restore`.`pieces` WHERE loaded = 1'),
      ).toHaveLength(1),
    WAIT,
  );
  expect(myloader.runs()).toHaveLength(2);
  const side = blocked === 1 ? 2 : 1;
  for (const run of [side, 3]) myloader.go(run);
  await expectLoaded(program);
  const runs = myloader.runs();
  expect([runs[blocked - 1], runs[side - 1], ...runs.slice(2)]).toEqual([
    { threads: 1, files: FILES.slice(0, 2) },
    { threads: 1, files: FILES.slice(2) },
    { threads: 1, files: FILES.slice(0, 1) },
  ]);
});

test('myloader 0.10: a table is loaded again after a lost statement (timeout)', async () => {
  await copy.query('SET GLOBAL innodb_lock_wait_timeout = 1');
  const { program } = await startBlocked('later', 1);
  await program.printed('Lock wait timeout exceeded');
  await Promise.race([
    program.ended,
    vi.waitFor(() => expect(myloader.runs().length).toBeGreaterThan(1), WAIT),
  ]);
  await other.rollback();
  myloader.go(2);
  const { code, stdout } = await program.ended;
  expect({ code, runs: myloader.runs().length }).toEqual({ code: 8, runs: 1 });
  expect(stdout).toMatch(/myloader ended with exit code 1: .*Lock wait timeout exceeded/);
  const ended = await restoreInto(world, copy, options('later'), {
    ...classicEnvironment(),
    THREADS: '1',
  });
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  await expectEqual('later');
});
