import { tablesOf, type Value } from '../../test/support/mariadb/dataset-columns.ts';
import type { MariaDb } from '../../test/support/mariadb/harness.ts';
import { type Random, seededRandom } from '../../test/support/mariadb/random.ts';
import { quoteName, rowNumbers } from '../../test/support/mariadb/sql.ts';
import { dropDatabases } from '../database.ts';
import { databasesIn, type Group, type Shape, type TableShape } from './plan.ts';

type Column = readonly [
  name: string,
  definition: string,
  value: (random: Random, row: number) => Value,
];

const ADDRESSES: readonly Column[] = [
  ['id of it', 'uuid', (random) => uuid(random.bytes(16))],
  ['also', 'uuid', (random, row) => (row % 3 === 0 ? null : uuid(random.bytes(16)))],
  ['hash', 'binary(16)', (random) => random.bytes(16)],
  ['six', 'inet6', (random) => random.pick(['::1', '2001:db8::7', '::ffff:1.2.3.4'])],
  ['four', 'inet4', (random) => `10.0.${random.int(256)}.${random.int(256)}`],
  ['text', 'text', (random) => random.pick(['_binary "x"', '0x41', "it's", '\\'])],
];
/** A counter that is far above the largest row, as after rows were deleted. */
const COUNTER = 9_000_000;

/** Replaces all databases of the server by those of the shape, always with the same rows. */
export async function fillShape(db: MariaDb, shape: Shape): Promise<void> {
  await dropDatabases(db);
  for (const database of new Set([...databasesIn(shape), 'shop']))
    await db.query(`CREATE DATABASE ${quoteName(database)}`);
  await db.query("SET SESSION time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
  const random = seededRandom(Math.imul(shape.seed + 1, 1000) + shape.number);
  for (const table of shape.tables) {
    if (table.group === undefined) await fillBulk(db, table, shape.number);
    else await fillGroup(db, table, table.group, random);
  }
  await db.query('SET SESSION sql_mode = DEFAULT');
  if (shape.objects) await createObjects(db);
}

/** A trigger that is there while rows are loaded would put rows into `seen`. */
async function createObjects(db: MariaDb): Promise<void> {
  for (const statement of [
    'CREATE TABLE shop.parent (id int PRIMARY KEY) ENGINE=InnoDB',
    'CREATE TABLE shop.child (id int, FOREIGN KEY (id) REFERENCES shop.parent (id)) ENGINE=InnoDB',
    'INSERT INTO shop.parent VALUES (1), (2)',
    'INSERT INTO shop.child VALUES (1), (1), (2), (NULL)',
    'CREATE TABLE shop.seen (id bigint, at datetime)',
    'CREATE VIEW shop.v AS SELECT id, amount FROM shop.large',
    'CREATE VIEW shop.`a view of it` AS SELECT COUNT(*) AS n FROM shop.v',
    'CREATE TRIGGER shop.noted AFTER INSERT ON shop.large FOR EACH ROW ' +
      "INSERT INTO seen VALUES (NEW.id, '2020-01-01')",
    'CREATE TRIGGER shop.changed BEFORE INSERT ON shop.second_of_all FOR EACH ROW SET NEW.id = -1',
    'CREATE PROCEDURE shop.p() BEGIN SELECT 1;\nSELECT 2; END',
    'CREATE FUNCTION shop.f(a int) RETURNS int DETERMINISTIC RETURN a + 1',
    "CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DO SELECT 1",
  ]) {
    if (statement.includes('second_of_all')) {
      await db.query('CREATE TABLE shop.second_of_all (id int) ENGINE=MyISAM');
      await db.query('INSERT INTO shop.second_of_all VALUES (1), (1), (2)');
    }
    await db.query(statement);
  }
}

const KEYS = {
  primary: 'id bigint PRIMARY KEY',
  counter: 'id bigint AUTO_INCREMENT PRIMARY KEY',
  none: 'id bigint',
} as const;

async function fillBulk(db: MariaDb, shape: TableShape, salt: number): Promise<void> {
  const { database, name, engine, key, rows, rowBytes = 100 } = shape;
  const table = quoteName(database, name);
  const counter = key === 'counter' ? ` AUTO_INCREMENT=${COUNTER}` : '';
  await db.query(
    `CREATE TABLE ${table} (${KEYS[key]}, amount decimal(12,2), at datetime, note longtext, ` +
      `doubled decimal(13,2) AS (amount * 2) VIRTUAL) ENGINE=${engine}${counter}`,
  );
  if (rows === 0) return;
  const textBytes = Math.max(10, rowBytes - 45);
  const hashes = Array.from(
    { length: Math.ceil(textBytes / 128) },
    (_, index) => `SHA2(seq * ${index + 3} + ${salt}, 512)`,
  );
  const note =
    `LEFT(CONCAT(ELT(1 + seq % 3, 'it''s; ', 'back\\\\slash "x" ', '表é '), ` +
    `${hashes.join(', ')}), ${textBytes})`;
  // Without a key, a third of the rows are there twice.
  const id = key === 'none' ? 'seq - (seq % 3 = 0)' : 'seq';
  await db.query(
    `INSERT INTO ${table} (id, amount, at, note) SELECT ${id}, (CRC32(seq + ${salt}) % 1000000) ` +
      `/ 100, '2020-01-01' + INTERVAL seq SECOND, ${note} FROM ${rowNumbers(db, rows)}`,
  );
}

async function fillGroup(
  db: MariaDb,
  { database, name, engine, key, rows }: TableShape,
  group: Group,
  random: Random,
): Promise<void> {
  const columns: readonly Column[] =
    group === 'addresses'
      ? ADDRESSES
      : (tablesOf(db.vendor).find(([of]) => of === group)?.[1] ?? []);
  const table = quoteName(database, name);
  const definitions = columns.map(([column, type]) => `${quoteName(column)} ${type}`);
  const counter = key === 'counter' ? ` AUTO_INCREMENT=${COUNTER}` : '';
  await db.query(
    `CREATE TABLE ${table} (${[KEYS[key], ...definitions].join(', ')}) ` +
      `ENGINE=${engine}${counter}`,
  );
  const lines = Array.from({ length: rows }, (_, row): Value[] => [
    row,
    ...columns.map(([, type, value]) => {
      if (/not null/i.test(type)) return value(random, row);
      return row === 1 || random.int(6) === 0 ? null : value(random, row);
    }),
  ]);
  const names = ['id', ...columns.map(([column]) => column)].map((each) => quoteName(each));
  await db.query(`INSERT INTO ${table} (${names.join(', ')}) VALUES ?`, [lines]);
  // Rows that are there twice.
  if (key === 'none') await db.query(`INSERT INTO ${table} VALUES ?`, [lines.slice(0, 5)]);
}

function uuid(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  const cuts = [0, 8, 12, 16, 20, 32];
  return cuts
    .slice(1)
    .map((end, index) => hex.slice(cuts[index], end))
    .join('-');
}
