import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import type { Row } from '../../app/database/connection.ts';
import { createStandstillMeter, watchStandstill } from '../../app/database/standstill.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { holdMark, openMarked } from './marked.ts';

const WAITS = 'Waiting for table metadata lock';
const row = (id: number, user: string, state = WAITS): Row => ({
  Id: id,
  User: user,
  State: state,
});

/** Sessions 8 and 9 are mydumper's. */
const processes = (...all: readonly Row[]) => ({ all, dumping: new Set([8, 9]) });

test('a standstill is timed while mydumper and another session wait for tables', () => {
  const meter = createStandstillMeter();
  const both = processes(row(8, 'backup'), row(3, 'app'));
  expect(meter(both, 100)).toBe(0);
  expect(meter(both, 109)).toBe(9);
  expect(meter(processes(row(8, 'backup')), 110)).toBeUndefined();
  expect(meter(both, 111)).toBe(0);
});

test.each<[string, Row[]]>([
  ['only mydumper waits', [row(8, 'backup'), row(9, 'backup')]],
  ['only other sessions wait', [row(3, 'app'), row(4, 'app')]],
  ['mydumper reads', [row(8, 'backup', 'Sending data'), row(3, 'app')]],
  ['the user’s waiting session is not mydumper’s', [row(7, 'backup'), row(3, 'app')]],
])('it is no standstill where %s', (_title, all) => {
  expect(createStandstillMeter()(processes(...all), 100)).toBeUndefined();
});

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  for (const table of ['a', 'b']) await db.query(`CREATE TABLE shop.${table} (id int PRIMARY KEY)`);
});
afterAll(() => db?.stop());

test('a real deadlock between a snapshot and a writer is noticed', async () => {
  await db.query("CREATE USER backup@'127.0.0.1' IDENTIFIED BY 'x'");
  await db.query("GRANT ALL ON *.* TO backup@'127.0.0.1'");
  const onStandstill = vi.fn();
  const server = serverAddress(db, { user: 'backup', password: 'x' });
  const mark = await holdMark(db);
  const watch = await watchStandstill(server, mark, onStandstill, 0);
  onTestFinished(() => watch.end());
  // One thread of mydumper has read b and waits for the other, outside the server.
  const idle = await openMarked(db, mark, { user: 'backup', password: 'x' });
  await idle.query('START TRANSACTION WITH CONSISTENT SNAPSHOT');
  await idle.query('SELECT * FROM shop.b');
  const writer = await db.connect();
  const locked = writer.query('LOCK TABLES shop.a WRITE, shop.b WRITE');
  const seen = async (user: string) =>
    expect(
      (await db.query('SHOW PROCESSLIST')).filter(
        (each) => each.User === user && each.State === WAITS,
      ),
    ).toHaveLength(1);
  await vi.waitFor(() => seen('root'), { timeout: 20_000 });
  // The other thread reads a.
  const reader = await openMarked(db, mark, { user: 'backup', password: 'x' });
  const read = reader.query('SELECT * FROM shop.a');
  await vi.waitFor(() => seen('backup'), { timeout: 20_000 });
  await vi.waitFor(() => expect(onStandstill).toHaveBeenCalled(), { timeout: 20_000 });
  idle.destroy();
  await locked;
  await writer.query('UNLOCK TABLES');
  await read;
});
