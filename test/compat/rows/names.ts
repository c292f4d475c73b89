import { describeServer } from '../../support/mariadb/compare.ts';
import { hostileNames } from '../../support/mariadb/dataset.ts';
import { ODD_TABLE_NAMES } from '../../support/mariadb/dataset-names.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { quoteName } from '../../support/mariadb/sql.ts';
import { type Pair, Refused, type Row } from '../row.ts';
import { backUp, expectSameAsSql } from '../runs.ts';

const ODD_DATABASES = [
  'with space',
  ' leading',
  'da-sh',
  '-rf',
  '123',
  '1st',
  'select',
  'CaSe',
  'case',
  'double "quote"',
  "it's",
  'back`tick',
  'sl/ash',
  'back\\slash',
  'dot.ted',
  'semi;colon',
  '100%s%d',
  '#hash',
  '$HOME',
  '*?[a-z]',
  'bärenötig',
  '表',
  'mydumper_1',
  'mysql_copy',
  'new\nline',
  'x'.repeat(64),
];

const ODD_COLUMNS = [
  'select',
  "it's",
  'double "quote"',
  'a.b',
  'semi;colon',
  'ünï 表',
  '100%s',
  'tab\tname',
  'back\\slash',
  'back`tick',
];

/** One name, and what makes all that it needs. */
type Named = {
  readonly name: string;
  readonly databases: readonly string[];
  readonly create: (db: MariaDb) => Promise<void>;
};

async function createTable(db: MariaDb, database: string, table: string, column = 'note'): Promise<void> {
  const name = quoteName(database, table);
  await db.query(`CREATE DATABASE IF NOT EXISTS ${quoteName(database)} CHARACTER SET utf8mb4`);
  await db.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ${quoteName(column)} varchar(200))`);
  await db.query(`INSERT INTO ${name} VALUES (1, ?), (2, NULL)`, [`${database}.${table}.${column}`]);
}

const databases = ODD_DATABASES.map(
  (name): Named => ({
    name,
    databases: [name],
    create: async (db) => {
      await createTable(db, name, 't');
      await db.query(`CREATE VIEW ${quoteName(name, 'v')} AS SELECT id FROM ${quoteName(name, 't')}`);
    },
  }),
);

const tables = ODD_TABLE_NAMES.map(
  (name, index): Named => ({
    name,
    databases: ['names'],
    create: async (db) => {
      await createTable(db, 'names', name);
      const trigger = quoteName('names', `trigger ${index}`);
      await db.query(
        `CREATE TRIGGER ${trigger} BEFORE INSERT ON ${quoteName('names', name)} FOR EACH ROW SET NEW.id = 1`,
      );
    },
  }),
);

const columns = ODD_COLUMNS.map(
  (name, index): Named => ({
    name,
    databases: ['columns'],
    create: async (db) => {
      const table = `t${index}`;
      await createTable(db, 'columns', table, name);
      await db.query(`ALTER TABLE columns.${table} ADD g int AS (length(${quoteName(name)})) STORED`);
    },
  }),
);

/** Names that 0.10 cannot represent, each with the table that it collides with. */
const hostile = hostileNames.map(
  ({ database, table, beside }): Named => ({
    name: table,
    databases: [...new Set([database, beside?.database ?? database])],
    create: async (db) => {
      for (const one of beside === undefined ? [{ database, table }] : [{ database, table }, beside]) {
        const known = await db.query(`SHOW TABLES FROM ${quoteName(one.database)}`).catch(() => []);
        if (!known.some((row) => Object.values(row).includes(one.table)))
          await createTable(db, one.database, one.table);
      }
    },
  }),
);

type Verdict = { readonly name: string; readonly refused: boolean; readonly reason: string };

/**
 * Backs names up together. Those that a refusal names are left out of the next try; where the backup is not right each half is
 * tried alone, so that each name has a verdict of its own.
 *
 * @returns the names that are refused, and those whose backup is not right.
 */
async function verdicts(pair: Pair, source: string, names: readonly Named[]): Promise<Verdict[]> {
  if (names.length === 0) return [];
  const error = await tryBackup(pair, source, names);
  if (error === undefined) return [];
  const reason = error.message;
  if (names.length === 1)
    return names.map(({ name }) => ({ name, refused: error instanceof Refused, reason }));
  const named = error instanceof Refused ? names.filter(({ name }) => reason.includes(inMessage(name))) : [];
  if (named.length > 0 && named.length < names.length) {
    const refused = named.map(({ name }) => ({ name, refused: true, reason }));
    return [
      ...refused,
      ...(await verdicts(
        pair,
        source,
        names.filter((one) => !named.includes(one)),
      )),
    ];
  }
  const half = Math.ceil(names.length / 2);
  const first = await verdicts(pair, source, names.slice(0, half));
  return [...first, ...(await verdicts(pair, source, names.slice(half)))];
}

/** As the end of a quoted name. */
function inMessage(name: string): string {
  return JSON.stringify(name).slice(1);
}

async function tryBackup(
  { db, copy, world }: Pair,
  source: string,
  names: readonly Named[],
): Promise<Error | undefined> {
  const all = [...new Set(names.flatMap((named) => named.databases))];
  try {
    for (const named of names) await named.create(db);
    const before = await describeServer(db, all);
    const backup = await backUp(world, { SOURCE: source, DATABASES: all.join(','), THREADS: '2' });
    await expectSameAsSql(world, copy, backup, before);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    for (const name of all) await db.query(`DROP DATABASE IF EXISTS ${quoteName(name)}`);
  }
}

function namesRow(id: string, promise: string, names: readonly Named[]): Row {
  return {
    id,
    part: 'backup',
    promise,
    run: async (pair) => {
      const found = await verdicts(pair, id, names);
      const failed = found.filter(({ refused }) => !refused);
      if (failed.length > 0)
        throw new Error(failed.map(({ name, reason }) => `${JSON.stringify(name)}: ${reason}`).join('; '));
      if (found.length === 0) return undefined;
      return `refused before the dump: ${found.map(({ name }) => JSON.stringify(name)).join(', ')}`;
    },
  };
}

export const nameRows: readonly Row[] = [
  namesRow(
    'table-names',
    `${tables.length} odd names of tables: each arrives, or is refused before the dump`,
    tables,
  ),
  namesRow(
    'database-names',
    `${databases.length} odd names of databases: each arrives, or is refused`,
    databases,
  ),
  namesRow('column-names', `${columns.length} odd names of columns: each arrives, or is refused`, columns),
  namesRow(
    'colliding-names',
    `${hostile.length} names whose files collide or mean something else: each arrives, or is refused`,
    hostile,
  ),
];
