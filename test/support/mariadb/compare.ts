import type { Connection } from 'mysql2/promise';
import { describeTable, type Facts, rowsOf, text } from './describe-table.ts';
import type { MariaDb, Row } from './harness.ts';
import { quoteName } from './sql.ts';

/**
 * Everything a backup has to keep, by object: ``table `shop`.`order` `` and the like. Plain data,
 * can be saved as JSON.
 */
export interface ServerDescription {
  readonly objects: Readonly<Record<string, Facts>>;
}

function facts(row: Row | undefined, ...names: readonly string[]): Facts {
  return Object.fromEntries(names.map((name) => [name, text(row?.[name])]));
}

const ROUTINE_COLUMNS = [
  'sql_mode',
  'character_set_client',
  'collation_connection',
  'Database Collation',
];

async function describeDatabase(
  connection: Connection,
  database: string,
): Promise<Record<string, Facts>> {
  const found: Record<string, Facts> = {};
  const created = await rowsOf(connection, `SHOW CREATE DATABASE ${quoteName(database)}`);
  found[`database ${quoteName(database)}`] = facts(created[0], 'Create Database');

  const tables = await rowsOf(
    connection,
    'SELECT TABLE_NAME n, TABLE_TYPE t FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? ' +
      'ORDER BY 1',
    [database],
  );
  for (const table of tables) {
    const name = text(table.n);
    const key = quoteName(database, name);
    if (text(table.t) === 'VIEW') {
      const [view] = await rowsOf(connection, `SHOW CREATE VIEW ${key}`);
      found[`view ${key}`] = facts(
        view,
        'Create View',
        'character_set_client',
        'collation_connection',
      );
    } else if (text(table.t) === 'SEQUENCE') {
      const [sequence] = await rowsOf(connection, `SHOW CREATE SEQUENCE ${key}`);
      const [state] = await rowsOf(connection, `SELECT next_not_cached_value n FROM ${key}`);
      found[`sequence ${key}`] = { create: text(sequence?.['Create Table']), next: text(state?.n) };
    } else {
      found[`table ${key}`] = await describeTable(connection, database, name);
    }
  }

  const triggers = await rowsOf(
    connection,
    'SELECT TRIGGER_NAME n, EVENT_OBJECT_TABLE `table`, ACTION_TIMING timing, ' +
      'EVENT_MANIPULATION event, ACTION_ORDER `order`, ACTION_STATEMENT statement, ' +
      'SQL_MODE sql_mode, DEFINER definer, CHARACTER_SET_CLIENT character_set_client, ' +
      'COLLATION_CONNECTION collation_connection, DATABASE_COLLATION database_collation ' +
      'FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ? ORDER BY 1',
    [database],
  );
  for (const { n, ...rest } of triggers) {
    found[`trigger ${quoteName(database, text(n))}`] = facts(rest as Row, ...Object.keys(rest));
  }

  const routines = await rowsOf(
    connection,
    'SELECT ROUTINE_NAME n, ROUTINE_TYPE t FROM information_schema.ROUTINES ' +
      'WHERE ROUTINE_SCHEMA = ? ORDER BY 2, 1',
    [database],
  );
  for (const routine of routines) {
    const type = text(routine.t);
    const key = quoteName(database, text(routine.n));
    const [row] = await rowsOf(connection, `SHOW CREATE ${type} ${key}`);
    const create =
      Object.keys(row ?? {}).find((column) => column.startsWith('Create ')) ?? 'Create';
    found[`${type.toLowerCase()} ${key}`] = facts(row, create, ...ROUTINE_COLUMNS);
  }

  const events = await rowsOf(
    connection,
    'SELECT EVENT_NAME n FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ? ORDER BY 1',
    [database],
  );
  for (const event of events) {
    const key = quoteName(database, text(event.n));
    const [row] = await rowsOf(connection, `SHOW CREATE EVENT ${key}`);
    found[`event ${key}`] = facts(row, 'Create Event', 'time_zone', ...ROUTINE_COLUMNS);
  }
  return found;
}

/**
 * Describes the given databases completely: each table's definition (AUTO_INCREMENT included), its
 * number of rows and an order-independent digest of every value, computed by the server; views,
 * triggers (with their order), routines, events and sequences with their definitions, definers and
 * SQL modes; databases' defaults.
 *
 * @throws Error when a database does not exist or one of its tables cannot be read.
 */
export async function describeServer(
  db: MariaDb,
  databases: readonly string[],
): Promise<ServerDescription> {
  const connection = await db.connect();
  try {
    // How definitions and values are shown depends on these, so they are the same for both sides.
    const patience = db.vendor === 'mariadb' ? 'max_statement_time = 0' : 'max_execution_time = 0';
    await connection.query(`SET SESSION sql_mode = '', time_zone = '+00:00', ${patience}`);
    const objects: Record<string, Facts> = {};
    for (const database of databases)
      Object.assign(objects, await describeDatabase(connection, database));
    return { objects };
  } finally {
    await connection.end();
  }
}

/** How strictly {@link differences} compares. */
export interface DifferenceOptions {
  /**
   * mydumper writes a blank after every `;` at a line's end inside routines, triggers and events,
   * so that loaders don't cut the statement there. That blank is not reported unless this is true.
   */
  readonly exactBodies?: boolean;
}

function firstDifference(a: string, b: string): string {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const from = Math.max(0, at - 30);
  const cut = (value: string): string => JSON.stringify(value.slice(from, at + 60));
  return `${from > 0 ? '…' : ''}${cut(a)} became ${cut(b)}`;
}

/** What differs between two descriptions, one readable line each; empty when they are the same. */
export function differences(
  a: ServerDescription,
  b: ServerDescription,
  options: DifferenceOptions = {},
): string[] {
  const lines: string[] = [];
  // Whether MySQL shows a column's character set beside its collation depends on how the table was
  // made.
  const charset = (value: string): string =>
    value.replaceAll(/ CHARACTER SET \w+(?= COLLATE )/g, '');
  const body = (value: string): string =>
    options.exactBodies ? value : value.replaceAll('; \n', ';\n');
  for (const [name, before] of Object.entries(a.objects)) {
    const after = b.objects[name];
    if (after === undefined) {
      lines.push(`${name} is missing`);
      continue;
    }
    const tolerant = !/^(table|view|database|sequence) /.test(name);
    for (const fact of new Set([...Object.keys(before), ...Object.keys(after)])) {
      const same = tolerant ? body : charset;
      const [x, y] = [same(before[fact] ?? '(none)'), same(after[fact] ?? '(none)')];
      if (x !== y) lines.push(`${name}: ${fact}: ${firstDifference(x, y)}`);
    }
  }
  for (const name of Object.keys(b.objects)) {
    if (a.objects[name] === undefined) lines.push(`${name} was not there before`);
  }
  return lines;
}
