import type { Contents } from '../manifest/completeness.ts';
import { FOREIGN_DIRECTORY, SYSTEM_SCHEMAS } from '../mydumper/database-regex.ts';
import type { Database, Row } from './connection.ts';
import { type DumpSession, planDumpSession } from './dump-session.ts';
import { type GrantLines, normaliseGrant } from './grants.ts';
import { inDatabases } from './schema-filter.ts';

export type Vendor = 'mariadb' | 'mysql';

/** The server's contents and properties that matter before the dump starts. */
export type Inventory = Contents &
  DumpSession & {
    readonly vendor: Vendor;
    readonly version: string;
    /**
     * The product and version that mydumper 1.x needs as an argument, such as `mysql-9.7.4`, if it
     * would not recognise the server.
     */
    readonly productHint: string | undefined;
    /** Names of the engines the server knows, as SHOW CREATE TABLE writes them. */
    readonly engines: readonly string[];
    /** RDS or Aurora, which refuse the global read lock regardless of grants. */
    readonly managedByAws: boolean;
    /** Sum of the data sizes in the table statistics; an estimate, 0 without statistics. */
    readonly estimatedBytes: number;
    /**
     * The most bytes one row may take in the dump, by column types and table statistics; an
     * estimate, 0 without large columns.
     */
    readonly largestRowBytes: number;
    /** Columns of the table or view with most of them; 0 without tables. */
    readonly mostColumns: number;
    /** Lines of SHOW GRANTS as {@link normaliseGrant} returns them. */
    readonly grants: GrantLines;
    /** The server reads names of databases in grants literally, not as patterns. */
    readonly literalNames: boolean;
  };

/** The installation path of servers on RDS and Aurora (`basedir`). */
const AWS_HOME = /(?:^|\/)rdsdbbin\//;

/** @throws the server's error when something cannot be read. */
export async function readInventory(
  database: Database,
  wanted: readonly string[],
): Promise<Inventory> {
  const [server] = await database.query(
    'SELECT VERSION() AS version, @@version_comment AS comment, @@basedir AS home',
  );
  const version = String(server?.version ?? '');
  const vendor = /mariadb/i.test(version) ? 'mariadb' : 'mysql';
  const visible = (
    await database.query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA')
  ).map((row) => String(row.name));
  const system = new Set<string>(SYSTEM_SCHEMAS);
  const databases =
    wanted.length > 0 ? wanted : visible.filter((name) => !system.has(name.toLowerCase()));
  const contents = withoutDirectories(
    await readContents(
      database,
      databases.filter((name) => visible.includes(name)),
    ),
  );
  const present = contents.databases;
  return {
    vendor,
    version,
    productHint:
      vendor === 'mysql'
        ? await productHint(database, version, String(server?.comment ?? ''))
        : undefined,
    engines: (await database.query('SELECT ENGINE AS name FROM information_schema.ENGINES')).map(
      (row) => engineAsWritten(String(row.name)),
    ),
    managedByAws: AWS_HOME.test(String(server?.home ?? '')),
    ...contents,
    estimatedBytes: await estimateBytes(database, present),
    largestRowBytes: await estimateLargestRow(database, present),
    mostColumns: await countMostColumns(database, present),
    ...(await readGrantLines(database)),
    ...(await planDumpSession(database)),
  };
}

async function readGrantLines(
  database: Database,
): Promise<Pick<Inventory, 'grants' | 'literalNames'>> {
  const [setting] = await database.query("SHOW GLOBAL VARIABLES LIKE 'partial_revokes'");
  const literalNames = setting?.Value === 'ON';
  const rows = await database.query('SHOW GRANTS');
  const grants = rows.map((row) => normaliseGrant(String(Object.values(row)[0]), literalNames));
  return { grants, literalNames };
}

/**
 * The words in the version or its comment with which mydumper 1.x recognises a product
 * (`detect_product` in its source).
 */
const RECOGNISED = /percona|mariadb|tidb|dolt|google|mysql|source/i;

/**
 * mydumper 1.x takes some builds of MySQL (Debian's, Ubuntu's) for an unknown product of version
 * 0.0.0. It then asks for the binary log position with a statement that MySQL 8.4 no longer has,
 * and its dump fails. It uses that statement on versions such as 9.0 and 9.1 too, since it looks at
 * the second number alone.
 */
async function productHint(
  database: Database,
  version: string,
  comment: string,
): Promise<string | undefined> {
  const [numbers, major, minor] = /^(\d+)\.(\d+)\.\d+/.exec(version) ?? [];
  if (numbers === undefined) return undefined;
  const product = /percona/i.test(version + comment) ? 'percona' : 'mysql';
  if (Number(major) >= 9 && Number(minor) < 2) return `${product}-${major}.2.0`;
  if (RECOGNISED.test(version) || RECOGNISED.test(comment)) return undefined;
  const aurora = await database.query("SHOW GLOBAL VARIABLES LIKE 'aurora_version'");
  return aurora.length > 0 ? undefined : `mysql-${numbers}`;
}

/** MySQL lists one engine under another name than SHOW CREATE TABLE writes. */
export function engineAsWritten(name: string): string {
  return name === 'MRG_MYISAM' ? 'MRG_MyISAM' : name;
}

/**
 * Lists what a dump of these databases must hold.
 * @throws the server's error when something cannot be read.
 */
export async function readContents(
  database: Database,
  databases: readonly string[],
): Promise<Contents> {
  if (databases.length === 0)
    return { databases, tables: [], views: [], triggered: [], programmed: [] };
  const objectOf = (row: Row) => ({ database: String(row.db), table: String(row.name) });
  const tables = await database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, ENGINE AS engine, TABLE_TYPE AS type
     FROM information_schema.TABLES WHERE ${inDatabases('TABLE_SCHEMA', databases)}`,
    databases,
  );
  const triggered = await database.query(
    // Not DISTINCT: to the collation of names `T` and `t` are one.
    `SELECT EVENT_OBJECT_SCHEMA AS db, EVENT_OBJECT_TABLE AS name
     FROM information_schema.TRIGGERS WHERE ${inDatabases('EVENT_OBJECT_SCHEMA', databases)}`,
    databases,
  );
  const programmed = await database.query(
    `SELECT ROUTINE_SCHEMA AS db FROM information_schema.ROUTINES
     WHERE ${inDatabases('ROUTINE_SCHEMA', databases)}
       AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION')
     UNION ALL
     SELECT EVENT_SCHEMA AS db FROM information_schema.EVENTS
     WHERE ${inDatabases('EVENT_SCHEMA', databases)}`,
    [...databases, ...databases],
  );
  const isView = (row: Row) => /VIEW/.test(String(row.type));
  return {
    databases,
    tables: tables
      .filter((row) => !isView(row))
      .map((row) => ({ ...objectOf(row), engine: String(row.engine ?? '').toLowerCase() })),
    views: tables.filter(isView).map(objectOf),
    triggered: uniqueBy(triggered.map(objectOf), ({ database, table }) =>
      JSON.stringify([database, table]),
    ),
    programmed: [...new Set(programmed.map((row) => String(row.db)))],
  };
}

/** Without directories that MariaDB takes for databases, unless they hold something. */
function withoutDirectories(contents: Contents): Contents {
  const used = new Set([
    ...[...contents.tables, ...contents.views].map(({ database }) => database),
    ...contents.programmed,
  ]);
  const databases = contents.databases.filter(
    (name) => !name.startsWith(FOREIGN_DIRECTORY) || used.has(name),
  );
  return { ...contents, databases };
}

function uniqueBy<T>(values: readonly T[], keyOf: (value: T) => string): T[] {
  return [...new Map(values.map((value) => [keyOf(value), value])).values()];
}

async function estimateBytes(database: Database, databases: readonly string[]): Promise<number> {
  if (databases.length === 0) return 0;
  const [row] = await database.query(
    `SELECT SUM(DATA_LENGTH) AS bytes FROM information_schema.TABLES
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}`,
    databases,
  );
  return Number(row?.bytes ?? 0);
}

/** Escaped in the dump, a byte of binary data may become two. */
const ESCAPED_SIZE = 2;
/** Rows this many times as large as their table's average are expected, larger ones not. */
const LARGEST_TO_AVERAGE = 1000;
const LARGE_TYPES = (
  'blob mediumblob longblob text mediumtext longtext json ' +
  'geometry linestring polygon multipoint multilinestring multipolygon ' +
  'geomcollection geometrycollection'
).split(' ');

/**
 * A row is no larger than its table's data, nor than its columns can hold, nor much larger than the
 * table's average row.
 */
async function estimateLargestRow(
  database: Database,
  databases: readonly string[],
): Promise<number> {
  if (databases.length === 0) return 0;
  const [row] = await database.query(
    `SELECT MAX(bytes) AS bytes FROM (
       SELECT LEAST(
         SUM(COALESCE(c.CHARACTER_OCTET_LENGTH, 4294967295)),
         MAX(t.DATA_LENGTH),
         MAX(t.AVG_ROW_LENGTH) * ${LARGEST_TO_AVERAGE}
       ) AS bytes
       FROM information_schema.COLUMNS c JOIN information_schema.TABLES t
         ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
       WHERE ${inDatabases('c.TABLE_SCHEMA', databases)}
         AND c.DATA_TYPE IN (${LARGE_TYPES.map(() => '?').join(', ')})
       GROUP BY c.TABLE_SCHEMA, c.TABLE_NAME) AS largest`,
    [...databases, ...LARGE_TYPES],
  );
  return Number(row?.bytes ?? 0) * ESCAPED_SIZE;
}

async function countMostColumns(database: Database, databases: readonly string[]): Promise<number> {
  if (databases.length === 0) return 0;
  const [row] = await database.query(
    `SELECT MAX(ORDINAL_POSITION) AS columns FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}`,
    databases,
  );
  return Number(row?.columns ?? 0);
}

/** Requested databases that do not exist, or that this user cannot see. */
export function missingDatabases(inventory: Inventory, wanted: readonly string[]): string[] {
  return wanted.filter((name) => !inventory.databases.includes(name));
}
