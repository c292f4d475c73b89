import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../app/database/connection.ts';
import { readInventory } from '../../app/database/inventory.ts';
import { unseenPrograms } from '../../app/database/privileges.ts';
import { type Programs, readPrograms } from '../../app/database/programs.ts';
import { readServerFacts } from '../../app/database/server-facts.ts';
import { readUserRights } from '../../app/database/user-rights.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';

let db: MariaDb;

/** Statements to run one after the other in one session. */
const SESSION = [
  'CREATE DATABASE shop CHARACTER SET latin1 COLLATE latin1_german1_ci',
  'CREATE DATABASE Shop CHARACTER SET utf8mb4 COLLATE utf8mb4_bin',
  'CREATE TABLE shop.orders (id int PRIMARY KEY)',
  'CREATE TABLE Shop.orders (id int PRIMARY KEY)',
  "SET SESSION time_zone = '+05:00', sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'",
  'SET NAMES latin1 COLLATE latin1_bin',
  "CREATE DEFINER = 'app'@'%' PROCEDURE shop.close_day() SELECT 1",
  'CREATE FUNCTION shop.one() RETURNS int DETERMINISTIC RETURN 1',
  'CREATE TRIGGER shop.orders_bi BEFORE INSERT ON shop.orders FOR EACH ROW SET @a = 1',
  'CREATE EVENT shop.nightly ON SCHEDULE EVERY 1 DAY DO SET @a = 1',
  "SET SESSION time_zone = '+00:00', sql_mode = 'ORACLE'",
  'SET NAMES utf8mb4 COLLATE utf8mb4_general_ci',
  'CREATE PACKAGE Shop.tools AS PROCEDURE x; END',
  'CREATE PACKAGE BODY Shop.tools AS PROCEDURE x AS BEGIN NULL; END; END',
  'CREATE TRIGGER Shop.orders_bi BEFORE INSERT ON Shop.orders FOR EACH ROW SET @a := 1',
  "SET SESSION sql_mode = ''",
];
const GRANTS = [
  ['blind', 'SELECT', 'shop.*'],
  ['caller', 'SELECT, EXECUTE, TRIGGER', 'shop.*'],
  ['reader', 'SELECT, TRIGGER, EVENT', '*.*'],
  ['of_proc', 'SELECT', 'mysql.proc'],
] as const;

beforeAll(async () => {
  db = await startMariaDb();
  for (const sql of SESSION) await db.query(sql);
  for (const [user, privileges, on] of GRANTS) {
    await db.query(`CREATE USER ${user}@'127.0.0.1' IDENTIFIED BY 'geheim'`);
    await db.query(`GRANT ${privileges} ON ${on} TO ${user}@'127.0.0.1'`);
  }
  await db.query("GRANT SELECT ON shop.* TO of_proc@'127.0.0.1'");
});
afterAll(() => db?.stop());

async function as<T>(user: string, use: (database: Database) => Promise<T>): Promise<T> {
  const account = user === 'root' ? {} : { user, password: 'geheim' };
  const database = await openDatabase(serverAddress(db, account));
  try {
    return await use(database);
  } finally {
    await database.close();
  }
}

const programsOf = (user: string, databases: readonly string[]): Promise<Programs> =>
  as(user, async (database) => {
    const inventory = await readInventory(database, databases);
    const rights = await readUserRights(database, 'classic', inventory);
    const list = await readPrograms(database, databases);
    return { list, unseen: unseenPrograms({ ...inventory, ...rights }) };
  });

test('routines, triggers and events are read with the settings of their creation', async () => {
  const { list, unseen } = await programsOf('root', ['shop']);
  const settings = {
    database: 'shop',
    sqlMode: 'PIPES_AS_CONCAT,ANSI_QUOTES',
    characterSetClient: 'latin1',
    collationConnection: 'latin1_bin',
    databaseCollation: 'latin1_german1_ci',
    definer: expect.stringMatching(/^root@/),
    table: null,
    timeZone: null,
  };
  expect(list.toSorted((left, right) => (left.kind < right.kind ? -1 : 1))).toEqual([
    { ...settings, kind: 'event', name: 'nightly', timeZone: '+05:00' },
    { ...settings, kind: 'function', name: 'one' },
    { ...settings, kind: 'procedure', name: 'close_day', definer: 'app@%' },
    { ...settings, kind: 'trigger', name: 'orders_bi', table: 'orders' },
  ]);
  expect(unseen).toEqual([]);
});

test('of databases whose names differ in case each has its own programs', async () => {
  const names = ({ list }: Programs) =>
    list.map(({ kind, database, name }) => `${kind} ${database}.${name}`).toSorted();
  const ofUpper = ['package Shop.tools', 'package body Shop.tools', 'trigger Shop.orders_bi'];
  const ofLower = [
    'event shop.nightly',
    'function shop.one',
    'procedure shop.close_day',
    'trigger shop.orders_bi',
  ];
  expect(names(await programsOf('root', ['Shop']))).toEqual(ofUpper);
  expect(names(await programsOf('root', ['shop']))).toEqual(ofLower);
  expect(names(await programsOf('root', ['shop', 'Shop']))).toEqual(
    [...ofUpper, ...ofLower].toSorted(),
  );
});

test.each([
  ['blind', [], ['triggers', 'routines', 'events']],
  ['caller', ['function', 'procedure', 'trigger'], ['bodies', 'events']],
  ['reader', ['event', 'function', 'procedure', 'trigger'], []],
  ['of_proc', ['function', 'procedure'], ['triggers', 'events']],
] as const)(
  'the user %s sees %j, and the manifest says that it cannot see %j',
  async (user, kinds, hidden) => {
    const { list, unseen } = await programsOf(user, ['shop']);
    expect(list.map(({ kind }) => kind).toSorted()).toEqual(kinds);
    expect(unseen.map((line) => /(?:cannot see|may not read the) (\w+)/.exec(line)?.[1])).toEqual(
      hidden,
    );
    for (const line of unseen) expect(line).toMatch(/"shop[".]/);
  },
);

test('a user without privileges reads the identity and the settings of the server', async () => {
  const [row] = await db.query(
    `SELECT @@hostname h, @@port p, @@server_id i, @@GLOBAL.sql_mode m, @@GLOBAL.time_zone z,
       @@system_time_zone s, @@GLOBAL.character_set_server c, @@GLOBAL.collation_server l,
       @@log_bin b`,
  );
  const facts = await as('blind', (database) => readServerFacts(database, ['shop', 'Shop']));
  expect(facts).toEqual({
    uuid: undefined,
    hostname: row?.h,
    port: Number(row?.p),
    serverId: Number(row?.i),
    lowerCaseTableNames: 0,
    characterSet: row?.c,
    collation: row?.l,
    timeZone: row?.z,
    systemTimeZone: row?.s,
    sqlMode: row?.m,
    writesBinaryLog: Number(row?.b) === 1,
    readOnly: false,
    innodbReadOnly: false,
    replica: undefined,
    replicaLagSeconds: undefined,
    // The other one is not visible to this user.
    databases: [{ name: 'shop', characterSet: 'latin1', collation: 'latin1_german1_ci' }],
  });
});

test('databases whose names differ in case have their own defaults', async () => {
  const { databases } = await as('root', (database) => readServerFacts(database, ['shop', 'Shop']));
  expect(databases.toSorted((left, right) => (left.name < right.name ? -1 : 1))).toEqual([
    { name: 'Shop', characterSet: 'utf8mb4', collation: 'utf8mb4_bin' },
    { name: 'shop', characterSet: 'latin1', collation: 'latin1_german1_ci' },
  ]);
});
