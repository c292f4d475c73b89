import type { MariaDb } from './harness.ts';
import { quoteName } from './sql.ts';

/**
 * When a loss shows in a run of mydumper 0.10 and then myloader 0.10: which tool reports it, or
 * never.
 */
export type Noticed = 'dump' | 'load' | 'never' | 'sometimes';

/** A name that mydumper 0.10 or myloader 0.10 cannot represent. */
export interface Hostile {
  readonly database: string;
  readonly table: string;
  /** Further table of the same or another database that the trouble needs. */
  readonly beside?: { readonly database: string; readonly table: string };
  readonly why: string;
  /** What was seen with mydumper and myloader 0.10.1 and MariaDB 10.11. */
  readonly symptom: string;
  readonly noticed: Noticed;
}

const DB = 'hostile';

/**
 * Names to try in a database server that mydumper 0.10 is to dump. Each was tried; see `symptom`.
 */
export const hostileNames: readonly Hostile[] = [
  {
    database: DB,
    table: 'sl/ash',
    why: 'the table name becomes part of a path',
    symptom: 'mydumper: Could not create output file (2), exit 1',
    noticed: 'dump',
  },
  {
    database: DB,
    table: 'back`tick',
    why: 'names are put between backticks without doubling those inside',
    symptom: 'mydumper: syntax errors in its queries, exit 1',
    noticed: 'dump',
  },
  {
    database: DB,
    table: "it's",
    why: "SHOW TRIGGERS … LIKE '%s' is not escaped",
    symptom: 'mydumper with --triggers: Error Checking triggers, exit 1, the data is dumped',
    noticed: 'dump',
  },
  {
    database: "it's a database",
    table: 't',
    why: "SHOW PROCEDURE STATUS WHERE Db = '%s' is not escaped",
    symptom: 'mydumper with --routines: Could not execute query, exit 1; the tables are dumped',
    noticed: 'dump',
  },
  {
    database: 'hostile.dot',
    table: 't',
    why: 'myloader takes what stands before the first dot of a file name for the database',
    symptom:
      'tables and rows are loaded into another database, `hostile`, without an error; ' +
      'only its triggers fail',
    noticed: 'load',
  },
  {
    database: 'hostile',
    table: 'b.c',
    beside: { database: 'hostile.b', table: 'c' },
    why: 'both tables have the files `hostile.b.c-schema.sql` and `hostile.b.c.sql`',
    symptom: 'mydumper exits 0 with one table overwritten by the other',
    noticed: 'load',
  },
  {
    database: DB,
    table: 't-schema',
    beside: { database: DB, table: 't' },
    why: 'its data file `hostile.t-schema.sql` is the schema file of `t`',
    symptom: 'mydumper exits 0 with one file overwritten by the other',
    noticed: 'load',
  },
  {
    database: DB,
    table: 't-schema-create',
    why: 'myloader takes its data file for one that creates a database and skips it',
    symptom: 'exit 0 of both; no row is loaded',
    noticed: 'never',
  },
  {
    database: DB,
    table: 't-schema-triggers',
    why: 'myloader takes its data file for one of triggers and loads it last',
    symptom: 'exit 0 of both; triggers loaded before it fire for its rows and change them',
    noticed: 'never',
  },
  {
    database: DB,
    table: 't-schema-post',
    why: 'myloader takes its data file for one of routines',
    symptom: 'myloader: Error switching to database, exit 1; no row is loaded',
    noticed: 'load',
  },
  {
    database: DB,
    table: 't.00001',
    beside: { database: DB, table: 't' },
    why:
      'with -F its data file has the name that the first chunk of `t` has until mydumper ' +
      'renames that chunk',
    symptom: 'exit 0 of both; depending on which thread is first, rows of one table are lost',
    noticed: 'sometimes',
  },
  {
    database: 'é'.repeat(64),
    table: 'ü'.repeat(64),
    why: 'file names end at 255 bytes',
    symptom: 'mydumper: Could not create output file (36), exit 1',
    noticed: 'dump',
  },
];

/**
 * Creates the table (and the one beside it) with two rows and a trigger; gives the databases it
 * made or used.
 */
export async function createHostileTable(db: MariaDb, which: Hostile): Promise<string[]> {
  const tables = which.beside === undefined ? [which] : [which, which.beside];
  for (const [number, { database, table }] of tables.entries()) {
    const name = quoteName(database, table);
    await db.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)}`);
    await db.query(`CREATE TABLE ${name} (id int PRIMARY KEY, t varchar(100))`);
    await db.query(`INSERT INTO ${name} VALUES (1, ?), (2, NULL)`, [`table ${number}`]);
    await db.query(
      `CREATE TRIGGER ${quoteName(database, `t${number}`)} BEFORE INSERT ON ${name} ` +
        "FOR EACH ROW SET NEW.t = 'x'",
    );
  }
  return [...new Set(tables.map(({ database }) => database))];
}
