import type { Connection } from 'mysql2/promise';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { dropAll, into, makeBackup } from './setting.ts';

const WAIT = { timeout: 60_000, interval: 10 };
/** Rows of about 1 kB in one file. Row LATER is not in its first statement. */
const ROWS = 10_000;
const LATER = 7000;

let world: World;
let copy: MariaDb;
/** Another client's transaction in the server that is restored into. */
let other: Connection;
let program: RunningProgram | undefined;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await world.db.query('CREATE DATABASE shop');
  // Without a primary key, so that rows that are loaded twice are there twice.
  await world.db.query('CREATE TABLE shop.first (a int UNIQUE, filler varchar(1000))');
  await world.db.query(
    `INSERT INTO shop.first
     SELECT IF(seq IN (1, ${LATER}), seq, NULL), RPAD(seq, 980, SHA2(seq, 224))
     FROM ${rowNumbers(world.db, ROWS)}`,
  );
  await makeBackup(world, { CHUNK_FILE_SIZE_MB: '1024', COMPRESS: 'none' });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
beforeEach(async () => {
  other = await copy.connect();
});
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await program?.ended;
  world.s3.setBandwidth(undefined);
  await other.end();
  await dropAll(copy);
});

/** Runs a restore that meets an open transaction with row LATER in the table. */
async function startBlocked(transactionMiB: number): Promise<RunningProgram> {
  world.s3.setBandwidth(3e6);
  const options = { THREADS: '2', RESTORE_TRANSACTION_MB: String(transactionMiB) };
  program = startProgram(into(world, copy, options), ['restore', '--check']);
  await vi.waitFor(() => copy.query('SELECT 1 FROM shop.first LIMIT 0'), WAIT);
  await copy.query('CREATE TABLE shop.heavy (n int)');
  await other.beginTransaction();
  // The server gives up whichever of two transactions has changed less.
  await other.query(`INSERT INTO shop.heavy SELECT seq FROM ${rowNumbers(copy, 5 * ROWS)}`);
  await other.query(`INSERT INTO shop.first VALUES (${LATER}, '')`);
  const waits =
    copy.vendor === 'mysql'
      ? 'performance_schema.data_lock_waits'
      : 'information_schema.INNODB_LOCK_WAITS';
  await vi.waitFor(
    async () => expect(await copy.query(`SELECT 1 FROM ${waits}`)).toHaveLength(1),
    // Asked more often than every 0.1 s the server gives the same answer again.
    { ...WAIT, interval: 250 },
  );
  return program;
}

async function expectEqual(): Promise<void> {
  for (const question of ['CHECKSUM TABLE shop.first', 'SELECT COUNT(*) AS n FROM shop.first'])
    expect(await copy.query(question)).toEqual(await world.db.query(question));
}

test('rows that a deadlock rolled back are sent again, once', async () => {
  const running = await startBlocked(128);
  // Row 1 is in the transaction that waits for us.
  await other.query("INSERT INTO shop.first VALUES (1, '')");
  await other.rollback();
  const { code, stdout } = await running.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(stdout).toContain('Deadlock found when trying to get lock');
  await expectEqual();
});

test('rows that were committed before a lost connection stay, and are not sent again', async () => {
  const running = await startBlocked(1);
  const [mark] = await copy.query('SELECT * FROM `mydumper_fargate_restore`.`files`');
  expect(Number(mark?.loaded_bytes)).toBeGreaterThan(900_000);
  const sessions = await copy.query(
    "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'INSERT INTO `first`%'",
  );
  expect(sessions).toHaveLength(1);
  await copy.query(`KILL ${sessions[0]?.ID}`);
  await running.printed('resuming after the last commit');
  await other.rollback();
  const { code, stdout } = await running.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  await expectEqual();
});
