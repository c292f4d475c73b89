import type { Database, Row } from '../database/connection.ts';
import { Failure } from '../errors.ts';
import { isTransactional } from '../manifest/completeness.ts';
import { counterOf, setCounter } from './counters.ts';
import type { DumpFile, Selection } from './selection.ts';

const SHOWN = 5;

/** Quotes a name for a statement. */
export function quoteName(...parts: readonly string[]): string {
  return parts.map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}

/** Where the backup's objects go in the server. */
export type Target = {
  readonly database: Database;
  readonly as: string | undefined;
};

export type TableInServer = {
  readonly type: 'table' | 'view' | 'sequence';
  readonly transactional: boolean;
  /** It shows the rows of other tables, and has none of its own. */
  readonly merges: boolean;
};

/** Name of a database in the server, for its name in the backup. */
export function databaseIn({ as }: Pick<Target, 'as'>, name: string | null): string {
  return as ?? name ?? '';
}

/** `database.table` as it is in the server, for a file of the backup. */
export function tableOf(target: Pick<Target, 'as'>, { database, realTable }: DumpFile): string {
  return JSON.stringify([databaseIn(target, database), realTable ?? '']);
}

/** Tables and views of the target databases, by `tableOf`. */
export async function readTables(
  { database, as }: Target,
  selection: Selection,
): Promise<ReadonlyMap<string, TableInServer>> {
  const names = targetDatabases({ as }, selection);
  if (names.length === 0) return new Map();
  const rows = await database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, TABLE_TYPE AS type, ENGINE AS engine
     FROM information_schema.TABLES
     WHERE TABLE_SCHEMA IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  return new Map(
    rows.map((row) => [JSON.stringify([String(row.db), String(row.name)]), tableFrom(row)]),
  );
}

function tableFrom(row: Row): TableInServer {
  const type = String(row.type);
  return {
    type: /VIEW/.test(type) ? 'view' : type === 'SEQUENCE' ? 'sequence' : 'table',
    transactional: isTransactional(String(row.engine ?? '').toLowerCase()),
    merges: /^mrg_/i.test(String(row.engine ?? '')),
  };
}

export function targetDatabases(target: Pick<Target, 'as'>, { databases }: Selection): string[] {
  return [...new Set(databases.map((name) => databaseIn(target, name)))];
}

/**
 * Lists the obstacles of a restore that has not begun: tables and views of the same names, and
 * routines and events in the same database, which the backup would replace. For rows alone: tables
 * that hold rows.
 * @returns lines; none when there is no obstacle, or when OVERWRITE may remove it.
 * @throws Failure `preflight` when rows are to go into tables that are missing, or into tables with
 *   triggers that would act on them.
 */
export async function obstacles(
  target: Target,
  selection: Selection,
  dataOnly: boolean,
): Promise<string[]> {
  const there = await readTables(target, selection);
  if (dataOnly) return obstaclesToRows(target, selection, there);
  const taken = selection.schemas
    .filter((file) => there.has(tableOf(target, file)))
    .map((file) => `${databaseIn(target, file.database)}.${file.realTable}`);
  const lines = taken.length === 0 ? [] : [`already in the server: ${few(taken)}`];
  for (const { database: name } of selection.post) {
    const of = databaseIn(target, name);
    const [row] = await target.database.query(
      `SELECT (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?)
       + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?) AS n`,
      [of, of],
    );
    if (Number(row?.n) > 0)
      lines.push(`database ${JSON.stringify(of)} has routines or events already: ${row?.n}`);
  }
  return lines;
}

async function obstaclesToRows(
  target: Target,
  selection: Selection,
  there: ReadonlyMap<string, TableInServer>,
): Promise<string[]> {
  const missing: string[] = [];
  const full: string[] = [];
  const triggered: string[] = [];
  for (const [key, file] of new Map(selection.data.map((each) => [tableOf(target, each), each]))) {
    const [db = '', name = ''] = JSON.parse(key) as string[];
    if (!there.has(key)) missing.push(`${db}.${name}`);
    else if (there.get(key)?.type === 'table') {
      const rows = await target.database.query(`SELECT 1 FROM ${quoteName(db, name)} LIMIT 1`);
      if (rows.length > 0) full.push(`${db}.${name}`);
      if ((await triggersOf(target, file)).length > 0) triggered.push(`${db}.${name}`);
    }
  }
  if (missing.length > 0)
    throw new Failure(
      'preflight',
      `tables that rows are to be loaded into are not there: ${few(missing)}`,
    );
  if (triggered.length > 0)
    throw new Failure(
      'preflight',
      `tables whose triggers would act on the rows: ${few(triggered)}; drop the triggers first`,
    );
  return full.length === 0 ? [] : [`tables that hold rows already: ${few(full)}`];
}

/** Tables of the selection that hold rows, as `database.table`. */
export async function tablesWithRows(target: Target, selection: Selection): Promise<string[]> {
  const there = await readTables(target, selection);
  const full: string[] = [];
  for (const file of selection.schemas) {
    if (there.get(tableOf(target, file))?.type !== 'table') continue;
    const [db, name] = [databaseIn(target, file.database), file.realTable ?? ''];
    const rows = await target.database.query(`SELECT 1 FROM ${quoteName(db, name)} LIMIT 1`);
    if (rows.length > 0) full.push(`${db}.${name}`);
  }
  return full;
}

function few(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map((name) => JSON.stringify(name));
  return names.length > SHOWN
    ? `${shown.join(', ')} and ${names.length - SHOWN} more`
    : shown.join(', ');
}

/**
 * Removes the tables and views that the backup creates, so that creating them works. It leaves
 * everything else in their databases.
 */
export async function dropObjects(target: Target, selection: Selection): Promise<void> {
  const there = await readTables(target, selection);
  await target.database.query('SET SESSION FOREIGN_KEY_CHECKS = 0');
  for (const file of selection.schemas) {
    const type = there.get(tableOf(target, file))?.type;
    const name = quoteName(databaseIn(target, file.database), file.realTable ?? '');
    if (type !== undefined)
      await target.database.longQuery(`DROP ${type.toUpperCase()} IF EXISTS ${name}`);
  }
}

/** Removes the triggers of tables whose triggers will be made. */
export async function dropTriggers(target: Target, files: readonly DumpFile[]): Promise<void> {
  for (const file of files) {
    for (const name of await triggersOf(target, file))
      await target.database.query(
        `DROP TRIGGER ${quoteName(databaseIn(target, file.database), name)}`,
      );
  }
}

async function triggersOf(target: Target, file: DumpFile): Promise<string[]> {
  const rows = await target.database.query(
    `SELECT TRIGGER_NAME AS name FROM information_schema.TRIGGERS
     WHERE EVENT_OBJECT_SCHEMA = ? AND EVENT_OBJECT_TABLE = ?`,
    [databaseIn(target, file.database), file.realTable ?? ''],
  );
  return rows.map(({ name }) => String(name));
}

/**
 * Removes all rows from tables, named as by `tableOf`. Sequences keep their one row, which a load
 * replaces. `definitionOf`: the CREATE TABLE whose AUTO_INCREMENT the table gets; that of the
 * server where there is none.
 */
export async function emptyTables(
  target: Target,
  tables: Iterable<string>,
  there: ReadonlyMap<string, TableInServer>,
  definitionOf: (table: string) => Promise<string | undefined> = async () => undefined,
): Promise<void> {
  const { database } = target;
  for (const key of tables) {
    const [db = '', name = ''] = JSON.parse(key) as string[];
    if (there.get(key)?.type !== 'table') continue;
    const table = quoteName(db, name);
    const [row] = await database.query(`SHOW CREATE TABLE ${table}`);
    const definition = (await definitionOf(key)) ?? String(row?.['Create Table']);
    await database.query('SET SESSION FOREIGN_KEY_CHECKS = 0');
    await database.longQuery(`TRUNCATE TABLE ${table}`);
    await setCounter(database, table, counterOf(definition));
  }
}

/**
 * Creates a database from its file of the backup, under its name in the server. myloader 0.10 would
 * lose its character set under another name. It would not create a database without tables.
 * @throws Failure `restore` when the file holds anything else.
 */
export async function createDatabase(
  target: Target,
  file: DumpFile,
  content: string,
): Promise<void> {
  const statements = content.split(/;[ \t]*(?:\n|$)/).map((text) => text.trim());
  const create = statements.filter(
    (text) => text !== '' && !/^(?:\/\*!\d+ SET [^;]*\*\/|SET [^;]*)$/s.test(text),
  );
  const [, options] =
    /^CREATE DATABASE\s+(?:\/\*!32312 IF NOT EXISTS\*\/\s*|IF NOT EXISTS\s+)?(?:`(?:[^`]|``)+`|"(?:[^"]|"")+")((?:[^;`'"]|'(?:[^'\\]|\\.)*')*)$/s.exec(
      create[0] ?? '',
    ) ?? [];
  if (create.length !== 1 || options === undefined)
    throw new Failure(
      'restore',
      `${file.key}: holds something else than the definition of a database`,
    );
  await target.database.query(
    `CREATE DATABASE IF NOT EXISTS ${quoteName(databaseIn(target, file.database))}${options}`,
  );
}
