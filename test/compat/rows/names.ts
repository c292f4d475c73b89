import { unsupportedNames } from '../../../app/mydumper/naming.ts';
import type { Generation } from '../../../app/mydumper/version.ts';
import { generationOf } from '../../support/installed-tools.ts';
import { describeServer } from '../../support/mariadb/compare.ts';
import { hostileNames } from '../../support/mariadb/dataset.ts';
import { ODD_TABLE_NAMES } from '../../support/mariadb/dataset-names.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { quoteName } from '../../support/mariadb/sql.ts';
import { type Pair, Refused, type Row } from '../row.ts';
import { backUp, expectSameAsSql } from '../runs.ts';

const ODD_DATABASES = [
  'with space',
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

type Table = { readonly database: string; readonly table: string };

/**
 * One name and the tables that a test of it needs. A table's name also gets a trigger on the first
 * table.
 */
type Named = {
  readonly name: string;
  readonly tables: readonly Table[];
  readonly column?: string;
  readonly hasTrigger: boolean;
};

const asDatabase = (name: string): Named => ({
  name,
  tables: [{ database: name, table: 't' }],
  hasTrigger: false,
});
const asTable = (name: string): Named => ({
  name,
  tables: [{ database: 'names', table: name }],
  hasTrigger: true,
});
const asColumn = (name: string, index: number): Named => ({
  name,
  tables: [{ database: 'columns', table: `t${index}` }],
  column: name,
  hasTrigger: false,
});

/**
 * Names that 0.10 cannot represent. Each has databases of its own, with the table that it collides
 * with.
 */
const colliding = hostileNames.map(
  ({ database, table, beside }, index): Named => ({
    name: table === 't' ? database : table,
    tables: [{ database, table }, ...(beside === undefined ? [] : [beside])].map((one) => ({
      ...one,
      database:
        one.database === 'hostile'
          ? `hostile${index}`
          : one.database.replace('hostile.', `hostile${index}.`),
    })),
    hasTrigger: false,
  }),
);

const databasesOf = (names: readonly Named[]) => [
  ...new Set(names.flatMap(({ tables }) => tables.map(({ database }) => database))),
];

async function create(db: MariaDb, names: readonly Named[]): Promise<void> {
  for (const database of databasesOf(names))
    await db.query(`CREATE DATABASE ${quoteName(database)} CHARACTER SET utf8mb4`);
  for (const [index, { tables, column = 'note', hasTrigger }] of names.entries()) {
    for (const { database, table } of tables) {
      const name = quoteName(database, table);
      const quoted = quoteName(column);
      await db.query(
        `CREATE TABLE ${name} (id int PRIMARY KEY, ${quoted} varchar(200), ` +
          `g int AS (length(${quoted})) STORED)`,
      );
      await db.query(`INSERT INTO ${name} (id, ${quoted}) VALUES (1, ?), (2, NULL)`, [
        `${database}.${table}`,
      ]);
      if (!hasTrigger) continue;
      const trigger = quoteName(database, `trigger ${index}`);
      await db.query(
        `CREATE TRIGGER ${trigger} BEFORE INSERT ON ${name} FOR EACH ROW SET NEW.id = 1`,
      );
    }
  }
}

/**
 * Makes a backup of these names alone.
 * @returns the refusal or the fault; undefined where the backup is right.
 */
async function tryBackup(
  { db, copy, world }: Pair,
  source: string,
  names: readonly Named[],
): Promise<Error | undefined> {
  const databases = databasesOf(names);
  try {
    await create(db, names);
    const before = await describeServer(db, databases);
    const backup = await backUp(world, { SOURCE: source, DATABASES: databases.join(',') });
    await expectSameAsSql(world, copy, backup, before);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  } finally {
    for (const name of databases) await db.query(`DROP DATABASE IF EXISTS ${quoteName(name)}`);
  }
}

type Verdict = { readonly name: string; readonly error: Error };

/**
 * Tries names together, and in halves where the outcome is not the expected one.
 * @returns the names whose backup is not right.
 */
async function verdicts(
  pair: Pair,
  source: string,
  names: readonly Named[],
  expected: 'right' | 'refused',
): Promise<Verdict[]> {
  if (names.length === 0) return [];
  const error = await tryBackup(pair, source, names);
  if (error === undefined && (expected === 'right' || names.length === 1)) return [];
  if (
    error !== undefined &&
    (names.length === 1 || (expected === 'refused' && error instanceof Refused))
  )
    return names.map(({ name }) => ({ name, error }));
  const half = Math.ceil(names.length / 2);
  const first = await verdicts(pair, source, names.slice(0, half), expected);
  return [...first, ...(await verdicts(pair, source, names.slice(half), expected))];
}

/** Whether the program's own rules refuse a name. Names with the same answer share one backup. */
function isRefused(
  generation: Generation,
  vendor: MariaDb['vendor'],
  { name, tables, column, hasTrigger }: Named,
): boolean {
  if (column !== undefined) return name.includes('`');
  const contents = {
    databases: databasesOf([{ name, tables, hasTrigger }]),
    tables: tables.map((table) => ({ ...table, engine: 'innodb' })),
    views: [],
    triggered: hasTrigger ? tables : [],
    programmed: [],
  };
  return unsupportedNames(generation, contents, vendor).length > 0;
}

function namesRow(id: string, promise: string, names: readonly Named[]): Row {
  return {
    id,
    part: 'backup',
    promise,
    run: async (pair) => {
      const generation = generationOf();
      const hopeless = names.filter((named) => isRefused(generation, pair.db.vendor, named));
      const found = [
        ...(await verdicts(pair, id, hopeless, 'refused')),
        ...(await verdicts(
          pair,
          id,
          names.filter((named) => !hopeless.includes(named)),
          'right',
        )),
      ];
      const failed = found.filter(({ error }) => !(error instanceof Refused));
      if (failed.length > 0)
        throw new Error(
          failed.map(({ name, error }) => `${JSON.stringify(name)}: ${error.message}`).join('; '),
        );
      if (found.length === 0) return undefined;
      return `refused: ${found.map(({ name }) => JSON.stringify(name)).join(', ')}`;
    },
  };
}

export const nameRows: readonly Row[] = [
  namesRow(
    'table-names',
    `${ODD_TABLE_NAMES.length} odd names of tables: each comes back or is refused`,
    ODD_TABLE_NAMES.map(asTable),
  ),
  namesRow(
    'database-names',
    `${ODD_DATABASES.length} odd names of databases: each comes back or is refused`,
    ODD_DATABASES.map(asDatabase),
  ),
  namesRow(
    'column-names',
    `${ODD_COLUMNS.length} odd names of columns: each comes back or is refused`,
    ODD_COLUMNS.map(asColumn),
  ),
  namesRow(
    'colliding-names',
    `${colliding.length} names whose files collide or are misread: each comes back or is refused`,
    colliding,
  ),
];
