import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../app/database/connection.ts';
import { isStale, openState, type RestoreState } from '../../app/restore/state.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { dropAll } from './setting.ts';

const RUN = 'a'.repeat(40);
const RUNS = '`mydumper_fargate_restore`.`runs`';
let db: MariaDb;
let connection: Database;
let state: RestoreState;

beforeAll(async () => {
  db = await startMariaDb();
  connection = await openDatabase(serverAddress(db));
  state = openState(connection, RUN, 's3://backups/db1/20261122T030000Z/');
});
afterAll(async () => {
  await connection?.close();
  await db?.stop();
});
afterEach(() => dropAll(db));

/** Makes the restore idle for this long. */
const age = (hours: number) =>
  db.query(`UPDATE ${RUNS} SET worked_at = UTC_TIMESTAMP() - INTERVAL ${hours} HOUR`);
const idleSeconds = async () => (await state.read())?.idleSeconds ?? Number.NaN;

test.each<[string, (state: RestoreState) => Promise<unknown>]>([
  ['going on', (it) => it.resume()],
  ['entering a phase', (it) => it.enter('data')],
  ['loading rows', (it) => it.worked()],
])('%s counts as work', async (_what, work) => {
  await state.begin();
  await age(30);
  expect(await idleSeconds()).toBeGreaterThanOrEqual(30 * 3600);
  await work(state);
  expect(await idleSeconds()).toBeLessThan(3600);
});

test('the record of version 0.1.0 is read unchanged, and gets a work time on resume', async () => {
  const madeByThen = [
    'CREATE DATABASE `mydumper_fargate_restore` CHARACTER SET utf8mb4',
    `CREATE TABLE ${RUNS} (
       id CHAR(40) PRIMARY KEY, about TEXT, phase VARCHAR(10) NOT NULL,
       started_at DATETIME NOT NULL
     ) ENGINE=InnoDB`,
    `CREATE TABLE \`mydumper_fargate_restore\`.\`pieces\` (
       id BIGINT PRIMARY KEY, run CHAR(40) NOT NULL,
       file VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
       start_byte BIGINT NOT NULL, end_byte BIGINT NOT NULL, row_count BIGINT NOT NULL,
       begun TINYINT NOT NULL, loaded TINYINT NOT NULL, KEY (run)
     ) ENGINE=InnoDB`,
    `INSERT INTO ${RUNS} VALUES ('${RUN}', 'x', 'data', UTC_TIMESTAMP() - INTERVAL 30 HOUR)`,
  ];
  for (const statement of madeByThen) await db.query(statement);
  const definition = async () => JSON.stringify(await db.query(`SHOW CREATE TABLE ${RUNS}`));
  const before = await definition();
  const progress = await state.read();
  expect(await definition()).toBe(before);
  expect(progress?.phase).toBe('data');
  expect(progress?.workedAt).toBe(progress?.startedAt);
  expect(progress?.idleSeconds).toBeGreaterThanOrEqual(30 * 3600);

  await state.resume();
  expect(await idleSeconds()).toBeLessThan(3600);
  expect((await state.read())?.startedAt).toBe(progress?.startedAt);
  expect(await state.marks()).toEqual([]);
  // Another restore into that server is begun there too.
  const other = openState(connection, 'b'.repeat(40), 'y');
  await other.begin();
  await state.end();
  expect((await other.read())?.phase).toBe('schemas');
});

test('it is stale after more than a day, and not when the clock was set back', () => {
  const day = 24 * 3600;
  expect([-5, 0, day].map((seconds) => isStale({ idleSeconds: seconds }))).toEqual([
    false,
    false,
    false,
  ]);
  expect(isStale({ idleSeconds: day + 1 })).toBe(true);
});
