import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import { readInventory } from '../../app/database/inventory.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';

let db: MariaDb;
beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db?.stop());

async function connect() {
  const database = await openDatabase(serverAddress(db));
  onTestFinished(() => database.close());
  return database;
}

test('session settings are those that the server knows, with values that it accepts', async () => {
  const database = await connect();
  const { session } = await readInventory(database, []);
  expect(session).toEqual({
    net_write_timeout: 2_147_483,
    net_read_timeout: 2_147_483,
    wait_timeout: 2_147_483,
    idle_transaction_timeout: 0,
    idle_readonly_transaction_timeout: 0,
    max_statement_time: 0,
    sql_select_limit: '18446744073709551615',
    sql_big_selects: 1,
    sql_quote_show_create: 1,
  });
  for (const [name, value] of Object.entries(session)) {
    await database.query(`SET SESSION ${name} = ${value}`);
    const [row] = await database.query(`SELECT @@SESSION.${name} AS value`);
    expect(String(Number(row?.value))).toBe(String(Number(value)));
  }
  expect(await database.query('SHOW WARNINGS')).toEqual([]);
});

test('if the server accepts the settings, only the network limits a pause', async () => {
  const { patienceSeconds } = await readInventory(await connect(), []);
  expect(patienceSeconds).toBe(300);
});

test('a setting that the server lowers is not in the session, and limits a pause', async () => {
  await db.restart(['maximum-net_write_timeout=10', 'maximum-wait_timeout=1000']);
  const { session, patienceSeconds } = await readInventory(await connect(), []);
  expect(Object.keys(session)).not.toContain('net_write_timeout');
  expect(Object.keys(session)).not.toContain('wait_timeout');
  expect(session.net_read_timeout).toBe(2_147_483);
  expect(patienceSeconds).toBeGreaterThan(0);
  expect(patienceSeconds).toBeLessThan(10);
});
