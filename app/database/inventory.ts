import type { Contents } from '../manifest/completeness.ts';
import { SYSTEM_SCHEMAS } from '../mydumper/arguments.ts';
import type { SessionSettings } from '../mydumper/option-file.ts';
import type { Database, Row } from './connection.ts';

export type Vendor = 'mariadb' | 'mysql';

/** What is there to back up, as far as it matters before the dump starts. */
export type Inventory = Contents & {
  readonly vendor: Vendor;
  readonly version: string;
  /** RDS or Aurora, which refuse the global read lock whatever is granted. */
  readonly managedByAws: boolean;
  /** Sum of the data sizes that table statistics tell; an estimate, 0 when nothing is known. */
  readonly estimatedBytes: number;
  /** The most bytes one row may take in the dump, by column types and table statistics; an estimate, 0 without large columns. */
  readonly largestRowBytes: number;
  /** Lines of SHOW GRANTS, cut before what identifies the user (MariaDB shows the password's hash there). */
  readonly grants: readonly string[];
  readonly session: SessionSettings;
  /** How long a paused dump may read nothing: what the server could not be talked into, and what networks drop. */
  readonly patienceSeconds: number;
};

/** Raised as far as the server goes: a stopped mydumper reads nothing, and a server that loses patience drops rows. */
const PATIENCE: SessionSettings = {
  // The largest values MySQL and MariaDB accept on every platform.
  net_write_timeout: 2_147_483,
  net_read_timeout: 2_147_483,
  wait_timeout: 2_147_483,
  // 0 switches these off. The first two are MariaDB's, the last MySQL's; statement timers count on while mydumper is stopped.
  idle_transaction_timeout: 0,
  idle_readonly_transaction_timeout: 0,
  max_statement_time: 0,
  max_execution_time: 0,
};

/** Network paths on AWS drop connections that are idle for 350 s. */
const NETWORK_PATIENCE_SECONDS = 300;
/** Of what the server allows, this share is used. */
const PATIENCE_SHARE = 0.6;

/** Where RDS and Aurora have their servers installed (`basedir`). */
const AWS_HOME = /(?:^|\/)rdsdbbin\//;

/** Engines in which a transaction that did not end leaves nothing; in small letters. */
export const TRANSACTIONAL_ENGINES = new Set(['innodb', 'rocksdb', 'tokudb']);

/** @throws the server's error when something cannot be read. */
export async function readInventory(database: Database, wanted: readonly string[]): Promise<Inventory> {
  const [server] = await database.query('SELECT VERSION() AS version, @@basedir AS home');
  const version = String(server?.version ?? '');
  const visible = (await database.query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA')).map(
    (row) => String(row.name),
  );
  const system = new Set<string>(SYSTEM_SCHEMAS);
  const databases = wanted.length > 0 ? wanted : visible.filter((name) => !system.has(name.toLowerCase()));
  const present = databases.filter((name) => visible.includes(name));

  const contents = await readContents(database, present);
  return {
    vendor: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version,
    managedByAws: AWS_HOME.test(String(server?.home ?? '')),
    ...contents,
    estimatedBytes: await estimateBytes(database, present),
    largestRowBytes: await estimateLargestRow(database, present),
    grants: (await database.query('SHOW GRANTS')).map((row) =>
      String(Object.values(row)[0]).replace(/ IDENTIFIED .*$/s, ''),
    ),
    ...(await raisePatience(database)),
  };
}

/** Lists what a dump of these databases must hold. @throws the server's error when something cannot be read. */
export async function readContents(database: Database, databases: readonly string[]): Promise<Contents> {
  if (databases.length === 0) return { databases, tables: [], views: [], triggered: [], programmed: [] };
  const marks = databases.map(() => '?').join(', ');
  const objectOf = (row: Row) => ({ database: String(row.db), table: String(row.name) });
  const tables = await database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, ENGINE AS engine, TABLE_TYPE AS type FROM information_schema.TABLES WHERE TABLE_SCHEMA IN (${marks})`,
    databases,
  );
  const triggered = await database.query(
    `SELECT DISTINCT EVENT_OBJECT_SCHEMA AS db, EVENT_OBJECT_TABLE AS name FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA IN (${marks})`,
    databases,
  );
  const programmed = await database.query(
    `SELECT ROUTINE_SCHEMA AS db FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA IN (${marks}) AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION') UNION SELECT EVENT_SCHEMA AS db FROM information_schema.EVENTS WHERE EVENT_SCHEMA IN (${marks})`,
    [...databases, ...databases],
  );
  const isView = (row: Row) => /VIEW/.test(String(row.type));
  return {
    databases,
    tables: tables
      .filter((row) => !isView(row))
      .map((row) => ({ ...objectOf(row), engine: String(row.engine ?? '').toLowerCase() })),
    views: tables.filter(isView).map(objectOf),
    triggered: triggered.map(objectOf),
    programmed: programmed.map((row) => String(row.db)),
  };
}

/** Whether any table is of an engine without transactions, whose rows are only consistent under a lock. */
export function hasNonTransactionalTables({ tables }: Pick<Contents, 'tables'>): boolean {
  return tables.some(({ engine }) => !isTransactional(engine));
}

/** `engine` in lower case, as in {@link Contents}. */
export function isTransactional(engine: string): boolean {
  return TRANSACTIONAL_ENGINES.has(engine);
}

async function estimateBytes(database: Database, databases: readonly string[]): Promise<number> {
  if (databases.length === 0) return 0;
  const [row] = await database.query(
    `SELECT SUM(DATA_LENGTH) AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA IN (${databases.map(() => '?').join(', ')})`,
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
  'geometry linestring polygon multipoint multilinestring multipolygon geomcollection geometrycollection'
).split(' ');

/** A row is no larger than its table's data, nor than what its columns can hold; an average tells the rest. */
async function estimateLargestRow(database: Database, databases: readonly string[]): Promise<number> {
  if (databases.length === 0) return 0;
  const marks = (values: readonly unknown[]) => values.map(() => '?').join(', ');
  const [row] = await database.query(
    `SELECT MAX(bytes) AS bytes FROM (
       SELECT LEAST(SUM(COALESCE(c.CHARACTER_OCTET_LENGTH, 4294967295)), MAX(t.DATA_LENGTH), MAX(t.AVG_ROW_LENGTH) * ${LARGEST_TO_AVERAGE}) AS bytes
       FROM information_schema.COLUMNS c JOIN information_schema.TABLES t
         ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME
       WHERE c.TABLE_SCHEMA IN (${marks(databases)}) AND c.DATA_TYPE IN (${marks(LARGE_TYPES)})
       GROUP BY c.TABLE_SCHEMA, c.TABLE_NAME) AS largest`,
    [...databases, ...LARGE_TYPES],
  );
  return Number(row?.bytes ?? 0) * ESCAPED_SIZE;
}

/** Databases that were asked for and are not there (or not visible to this user). */
export function missingDatabases(inventory: Inventory, wanted: readonly string[]): string[] {
  return wanted.filter((name) => !inventory.databases.includes(name));
}

/**
 * Tries on our own connection which settings the server takes. What it refuses or cuts is left as it is and limits pauses.
 */
async function raisePatience(
  database: Database,
): Promise<{ session: SessionSettings; patienceSeconds: number }> {
  const session: Record<string, number> = {};
  let patienceSeconds = NETWORK_PATIENCE_SECONDS;
  for (const [name, wanted] of Object.entries(PATIENCE)) {
    const before = await readSetting(database, name);
    if (before === undefined) continue;
    await database.query(`SET SESSION ${name} = ${wanted}`).catch(() => {});
    const after = await readSetting(database, name);
    if (after === wanted) {
      session[name] = wanted;
      continue;
    }
    const seconds = name === 'max_execution_time' ? Number(after) / 1000 : Number(after);
    if (seconds > 0) patienceSeconds = Math.min(patienceSeconds, seconds * PATIENCE_SHARE);
  }
  return { session, patienceSeconds };
}

/** undefined for a variable the server does not know. */
async function readSetting(database: Database, name: string): Promise<number | undefined> {
  const [row] = await database.query('SHOW SESSION VARIABLES WHERE Variable_name = ?', [name]);
  return row === undefined ? undefined : Number(row.Value);
}
