import type { MariaDb } from '../test/support/mariadb/harness.ts';
import { quoteName, rowNumbers } from '../test/support/mariadb/sql.ts';
import type { Plan, TablePlan } from './plan.ts';

const SYSTEM = "('mysql', 'sys', 'information_schema', 'performance_schema')";
/** Of one hash in the rows' text. */
const HASH_DIGITS = 128;

export async function dropDatabases(db: MariaDb): Promise<void> {
  const rows = await db.query(
    `SELECT SCHEMA_NAME n FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ${SYSTEM}`,
  );
  for (const { n } of rows) await db.query(`DROP DATABASE ${quoteName(String(n))}`);
}

export function databasesOf(plan: Pick<Plan, 'tables'>): string[] {
  return [...new Set(plan.tables.map(({ database }) => database))];
}

/**
 * Replaces all databases of the server by those of the plan. The server makes the rows itself,
 * always the same ones.
 */
export async function fillDatabases(
  db: MariaDb,
  plan: Pick<Plan, 'tables' | 'objects' | 'run'>,
): Promise<void> {
  await dropDatabases(db);
  for (const database of databasesOf(plan))
    await db.query(`CREATE DATABASE ${quoteName(database)}`);
  // mydumper 0.10 dumps no event's time zone, and plain myloader makes events in this one.
  await db.query("SET SESSION time_zone = '+00:00'");
  for (const table of plan.tables) await fillTable(db, table, plan.run);
  if (!plan.objects) return;
  await db.query('CREATE VIEW shop.v AS SELECT id, amount FROM shop.small');
  await db.query('CREATE TABLE shop.seen (id bigint, at datetime)');
  await db.query(
    "CREATE TRIGGER shop.noted AFTER INSERT ON shop.seen FOR EACH ROW SET @noted = ';'",
  );
  await db.query('CREATE PROCEDURE shop.p() BEGIN SELECT 1;\nSELECT 2; END');
  await db.query(
    "CREATE EVENT shop.e ON SCHEDULE EVERY 1 YEAR STARTS '2037-01-01 00:00:00' DO SELECT 1",
  );
}

async function fillTable(
  db: MariaDb,
  { database, name, rows, rowBytes, engine }: TablePlan,
  salt: number,
): Promise<void> {
  const table = quoteName(database, name);
  await db.query(
    `CREATE TABLE ${table} (id bigint PRIMARY KEY, amount decimal(12,2), at datetime, note ` +
      `longtext) ENGINE=${engine}`,
  );
  if (rows === 0) return;
  const textBytes = Math.max(10, rowBytes - 45);
  const hashes = Array.from(
    { length: Math.ceil(textBytes / HASH_DIGITS) },
    (_, index) => `SHA2(seq * ${index + 3} + ${salt}, 512)`,
  );
  const note =
    `LEFT(CONCAT(ELT(1 + seq % 3, 'it''s; ', 'back\\\\slash "x" ', '表é '), ` +
    `${hashes.join(', ')}), ${textBytes})`;
  await db.query(
    `INSERT INTO ${table} SELECT seq, (CRC32(seq + ${salt}) % 1000000) / 100, '2020-01-01' + ` +
      `INTERVAL seq SECOND, ${note} FROM ${rowNumbers(db, rows)}`,
  );
}
