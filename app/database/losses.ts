import type { Contents } from '../manifest/completeness.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Database, Row } from './connection.ts';
import { listNames } from './names.ts';
import { inDatabases } from './schema-filter.ts';

/**
 * Contents of the server that a dump would not hold. Without `refusals` an operator would notice
 * such a loss only on the day of the restore.
 */
export type Losses = { readonly refusals: readonly string[]; readonly warnings: readonly string[] };

/**
 * Finds contents that mydumper silently leaves out or changes. Each loss was seen with the
 * generation that it is reported for; docs/mydumper.md lists them.
 * @throws the server's error when something cannot be read.
 */
export async function findLosses(
  database: Database,
  generation: Generation,
  contents: Contents,
): Promise<Losses> {
  const { databases } = contents;
  if (databases.length === 0) return { refusals: [], warnings: [] };
  const ask = (sql: string) => database.query(sql, databases);

  const routines = await ask(
    `SELECT ROUTINE_SCHEMA AS db, ROUTINE_NAME AS name, ROUTINE_TYPE AS type, SQL_MODE AS mode
     FROM information_schema.ROUTINES WHERE ${inDatabases('ROUTINE_SCHEMA', databases)}`,
  );
  const columns = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col,
       LOWER(DATA_TYPE) AS type, UPPER(EXTRA) AS extra
     FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}
       AND (EXTRA LIKE '%GENERATED%' OR EXTRA LIKE '%INVISIBLE%' OR COLUMN_NAME LIKE '%\`%'
         OR DATA_TYPE IN ('float', 'uuid', 'inet6', 'inet4'))`,
  );
  // TABLE_ROWS makes MariaDB open views too: only then does it notice a broken one.
  const tables = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE IS NULL AS broken,
       TABLE_COMMENT AS comment, TABLE_ROWS
     FROM information_schema.TABLES WHERE ${inDatabases('TABLE_SCHEMA', databases)}`,
  );
  const events = await ask(
    `SELECT EVENT_SCHEMA AS db, EVENT_NAME AS name, TIME_ZONE AS zone, SQL_MODE AS mode
     FROM information_schema.EVENTS WHERE ${inDatabases('EVENT_SCHEMA', databases)}`,
  );
  const triggers = await ask(
    `SELECT TRIGGER_SCHEMA AS db, TRIGGER_NAME AS name, SQL_MODE AS mode
     FROM information_schema.TRIGGERS WHERE ${inDatabases('TRIGGER_SCHEMA', databases)}`,
  );
  const generatedOnly = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}
     GROUP BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME
     HAVING MIN(COALESCE(GENERATION_EXPRESSION, '') <> '') = 1`,
  );
  const literals = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col
     FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}
       AND CHARACTER_SET_NAME NOT IN ('utf8mb4', 'utf8mb3', 'utf8')
       AND (LENGTH(COLUMN_DEFAULT) <> CHAR_LENGTH(COLUMN_DEFAULT)
         OR (DATA_TYPE IN ('enum', 'set') AND LENGTH(COLUMN_TYPE) <> CHAR_LENGTH(COLUMN_TYPE)))`,
  );
  const [zone] = await database.query('SELECT @@system_time_zone AS zone');
  const ofTables = withoutViews(columns, contents);
  return {
    refusals: [
      ...columnRefusals(columns, ofTables, generation),
      ...group(
        withoutViews(generatedOnly, contents),
        (names) => `mydumper cannot dump tables whose columns are all generated: ${names}`,
      ),
      ...objectRefusals(tables, routines),
      ...(generation === 'classic' ? await misreadRoutines(database, routines) : []),
    ],
    warnings: [
      ...valueWarnings(tables, ofTables),
      ...modeWarnings([...routines, ...events, ...triggers]),
      ...eventWarnings(events, String(zone?.zone ?? '')),
      ...(generation === 'classic'
        ? [...unloadedDatabases(contents), ...literalWarnings(withoutViews(literals, contents))]
        : []),
    ],
  };
}

function columnRefusals(
  columns: readonly Row[],
  ofTables: readonly Row[],
  generation: Generation,
): string[] {
  const extra = (pattern: RegExp) => ofTables.filter((row) => pattern.test(String(row.extra)));
  const unloadable = group(
    columns.filter((row) => String(row.col).includes('`')),
    (names) => `mydumper writes column names with a backtick so that they do not load: ${names}`,
  );
  if (generation === 'modern') return unloadable;
  return [
    ...unloadable,
    ...group(extra(/INVISIBLE/), (names) => `mydumper 0.10 leaves invisible columns out: ${names}`),
    ...group(
      extra(/DEFAULT_GENERATED/),
      (names) => `mydumper 0.10 leaves columns out whose default is an expression: ${names}`,
    ),
    ...group(
      extra(/GENERATED/).filter((row) => `${row.db}.${row.name}`.includes('\\')),
      (names) =>
        'mydumper 0.10 does not see generated columns where a table or database has \\ in its ' +
        `name: ${names}`,
    ),
  ];
}

function objectRefusals(tables: readonly Row[], routines: readonly Row[]): string[] {
  const isView = (row: Row) => /VIEW/.test(String(row.type));
  const brokenViews = tables.filter(
    (row) => isView(row) && !/^(?:VIEW)?$/.test(String(row.comment ?? '')),
  );
  const brokenTables = tables.filter((row) => !isView(row) && Number(row.broken) === 1);
  const packages = routines.filter((row) => String(row.type) === 'PACKAGE');
  return [
    ...group(
      brokenViews,
      (names) =>
        `views that refer to what is not there cannot be dumped; mend or drop them: ${names}`,
    ),
    ...group(
      brokenTables,
      (names) => `tables that the server cannot open cannot be dumped: ${names}`,
    ),
    ...group(
      packages,
      (names) => `mydumper leaves packages out, or writes them so that they do not load: ${names}`,
    ),
  ];
}

function valueWarnings(tables: readonly Row[], columns: readonly Row[]): string[] {
  const versioned = tables.filter((row) => String(row.type) === 'SYSTEM VERSIONED');
  const ofType = (pattern: RegExp) => columns.filter((row) => pattern.test(String(row.type)));
  return [
    ...group(
      versioned,
      (names) => `the history of system-versioned tables is not dumped: ${names}`,
    ),
    ...group(ofType(/^float$/), (names) => `FLOAT values are dumped with 6 digits: ${names}`),
    ...group(
      ofType(/^(?:uuid|inet[46])$/),
      (names) =>
        'UUID, INET6 and INET4 values do not survive myloader; load them with another client: ' +
        names,
    ),
  ];
}

/** Place of `character_set_client` among the columns of SHOW PROCEDURE STATUS, for 0.10. */
const CHARACTER_SET_PLACE = 8;

/**
 * 0.10 finds the character sets of a routine by their places in SHOW PROCEDURE STATUS. MySQL 9
 * lists one more column before them, so 0.10 writes the routine's comment in place of a character
 * set.
 */
async function misreadRoutines(database: Database, routines: readonly Row[]): Promise<string[]> {
  const listed = routines.filter(({ type }) => type === 'PROCEDURE' || type === 'FUNCTION');
  const [first] = listed;
  if (first === undefined) return [];
  const [status = {}] = await database.query(
    `SHOW ${first.type} STATUS WHERE Db = ? AND Name = ?`,
    [String(first.db), String(first.name)],
  );
  const place = Object.keys(status).indexOf('character_set_client');
  if (place === -1 || place === CHARACTER_SET_PLACE) return [];
  return group(
    listed,
    (names) => `mydumper 0.10 writes routines of this server so that they do not load: ${names}`,
  );
}

/** 0.10 writes definitions in UTF-8, but declares them as bytes of the column's character set. */
function literalWarnings(columns: readonly Row[]): string[] {
  return group(
    columns,
    (names) =>
      'mydumper 0.10 writes ENUM members and defaults of these so that they load as other text: ' +
      names,
  );
}

/** Modes that change the meaning of a body. mydumper does not dump the mode of an object. */
const MEANING_MODES = new RegExp(
  'PIPES_AS_CONCAT|ANSI_QUOTES|IGNORE_SPACE|NO_BACKSLASH_ESCAPES|' +
    'ORACLE|MSSQL|DB2|MAXDB|POSTGRESQL|(?:^|,)ANSI(?:,|$)',
);

function modeWarnings(objects: readonly Row[]): string[] {
  return group(
    objects.filter((row) => MEANING_MODES.test(String(row.mode))),
    (names) => `mydumper does not dump the SQL mode that the bodies of these depend on: ${names}`,
  );
}

function eventWarnings(events: readonly Row[], systemZone: string): string[] {
  const isUtc = (zone: string) => /^(?:\+00:00|UTC|GMT|Etc\/UTC)$/i.test(zone);
  return group(
    events.filter(({ zone }) => !isUtc(zone === 'SYSTEM' ? systemZone : String(zone))),
    (names) =>
      `mydumper does not dump the time zone of events, which would run hours off: ${names}`,
  );
}

function unloadedDatabases({ databases, tables, views }: Contents): string[] {
  const used = new Set([...tables, ...views].map(({ database }) => database));
  const unused = databases.filter((name) => !used.has(name));
  if (unused.length === 0) return [];
  const names = listNames(unused);
  return [`myloader 0.10 does not create databases without tables, nor their routines: ${names}`];
}

function withoutViews(columns: readonly Row[], { tables }: Contents): Row[] {
  const key = (database: string, table: string) => JSON.stringify([database, table]);
  const known = new Set(tables.map(({ database, table }) => key(database, table)));
  return columns.filter((row) => known.has(key(String(row.db), String(row.name))));
}

/** One message for all rows, with a few of their names; no message without rows. */
function group(rows: readonly Row[], message: (names: string) => string): string[] {
  if (rows.length === 0) return [];
  const names = new Set(
    rows.map((row) => [row.db, row.name, row.col].filter((part) => part !== undefined).join('.')),
  );
  return [message(listNames([...names]))];
}
