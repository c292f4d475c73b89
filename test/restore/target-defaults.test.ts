import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { dropAll, makeBackup, restoreInto } from './setting.ts';

let world: World;
let copy: MariaDb;
let before: ServerDescription;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  await world.db.query('CREATE DATABASE shop');
  await world.db.query(
    `CREATE TABLE shop.t (
       id int PRIMARY KEY AUTO_INCREMENT, d date, ts timestamp NULL, e enum('a','b'),
       s varchar(20), b blob, n int CHECK (n < 10)
     )`,
  );
  await world.db.query(`CREATE TABLE shop.many (e enum('a') NOT NULL, id int PRIMARY KEY)`);
  await world.db.query('CREATE TABLE shop.child (id int, FOREIGN KEY (id) REFERENCES shop.t (id))');
  const connection = await world.db.connect();
  const isMysql = world.db.vendor === 'mysql';
  for (const statement of [
    "SET sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'",
    isMysql ? 'DO 0' : 'SET check_constraint_checks = 0',
    `INSERT INTO shop.t VALUES
       (0, '2024-00-10', '2024-06-30 23:59:59', '', 'it''s "so"', X'00ff5c27', ${isMysql ? 9 : 99}),
       (1, '2024-02-31', NULL, 'b', 'back\\\\slash\\n;', '', 1),
       (2, '0000-00-00', NULL, 'a', '', NULL, 2)`,
    // More values of no member than a server shows warnings about them.
    `INSERT IGNORE INTO shop.many SELECT '', seq FROM ${rowNumbers(world.db, 3000)}`,
    'SET foreign_key_checks = 0',
    'INSERT INTO shop.child VALUES (77)',
  ])
    await connection.query(statement);
  await connection.end();
  before = await describeServer(world.db, ['shop']);
  await makeBackup(world);
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
afterEach(() => dropAll(copy));

test.for([
  'autocommit = 0',
  "sql_mode = 'TRADITIONAL'",
  "sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'",
  "sql_mode = 'ORACLE'",
  "time_zone = '+13:00'",
  'max_error_count = 0',
  'wait_timeout = 1',
  'innodb_lock_wait_timeout = 1',
  "init_connect = 'SET autocommit = 0, sql_mode = ANSI'",
  'character_set_server = utf16',
])('rows come back exactly into a server whose default is %s', async (setting, { skip }) => {
  skip(setting.includes('ORACLE') && copy.vendor === 'mysql', 'MySQL has no such mode');
  const name = setting.split(' ')[0];
  const [row] = await copy.query(`SELECT @@GLOBAL.${name} AS value`);
  await copy.query(`SET GLOBAL ${setting}`);
  try {
    const { code, stdout } = await restoreInto(world, copy, ['--check']);
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  } finally {
    const value = /^\d+$/.test(String(row?.value)) ? row?.value : `'${row?.value}'`;
    await copy.query(`SET GLOBAL ${name} = ${value}`);
  }
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});

test('a user without SUPER restores', async () => {
  await copy.query("CREATE USER loader@'%' IDENTIFIED BY 'secret'");
  try {
    await copy.query(
      `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, EVENT,
         CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE ON *.* TO loader@'%'`,
    );
    const user = { USERNAME: 'loader', PASSWORD: 'secret' };
    const { code, stdout } = await restoreInto(world, copy, ['--check'], user);
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  } finally {
    await copy.query("DROP USER loader@'%'");
  }
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});
