import type { Database, Row } from './connection.ts';
import { globalPrivileges, privilegesOn } from './grants.ts';
import type { Inventory } from './inventory.ts';
import { missingPrivileges } from './losses.ts';

/** A routine, trigger or event with the settings that decide what its text means. */
export type Program = {
  /**
   * As the server tells it, in small letters: `procedure`, `function`, `package`, `package body`,
   * `trigger`, `event`.
   */
  readonly kind: string;
  readonly database: string;
  readonly name: string;
  /** Of a trigger. */
  readonly table: string | null;
  /** `user@host`. */
  readonly definer: string;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  readonly databaseCollation: string;
  /** Of an event. */
  readonly timeZone: string | null;
};

export type Programs = {
  readonly list: readonly Program[];
  /** Why programs may be missing from the list, and from the dump; empty when all are seen. */
  readonly unseen: readonly string[];
};

const SETTINGS =
  'DEFINER AS definer, SQL_MODE AS sqlMode, CHARACTER_SET_CLIENT AS characterSetClient, COLLATION_CONNECTION AS collationConnection, DATABASE_COLLATION AS databaseCollation';

const QUERIES = [
  `SELECT ROUTINE_SCHEMA AS db, LOWER(ROUTINE_TYPE) AS kind, ROUTINE_NAME AS name, NULL AS tbl, NULL AS timeZone, ${SETTINGS} FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`,
  `SELECT TRIGGER_SCHEMA AS db, 'trigger' AS kind, TRIGGER_NAME AS name, EVENT_OBJECT_TABLE AS tbl, NULL AS timeZone, ${SETTINGS} FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
  `SELECT EVENT_SCHEMA AS db, 'event' AS kind, EVENT_NAME AS name, NULL AS tbl, TIME_ZONE AS timeZone, ${SETTINGS} FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
] as const;

/**
 * Reads the programs of these databases, as far as the user sees them. One database at a time,
 * since `IN` gives the rows of one of two databases whose names differ in case alone, and `=` those
 * of both.
 * @throws the server's error when something cannot be read.
 */
export async function readPrograms(
  database: Database,
  { databases, grants, vendor }: Pick<Inventory, 'databases' | 'grants' | 'vendor'>,
): Promise<Programs> {
  const list: Program[] = [];
  for (const name of databases) {
    for (const sql of QUERIES) {
      const rows = await database.query(sql, [name]);
      for (const row of rows) if (row.db === name) list.push(programOf(row));
    }
  }
  const blind = databases.filter((name) => !seesRoutines(grants, vendor, name));
  return { list, unseen: [...missingPrivileges(databases, grants), ...unseenRoutines(blind)] };
}

function programOf(row: Row): Program {
  const text = (name: string) => String(row[name] ?? '');
  return {
    kind: text('kind'),
    database: text('db'),
    name: text('name'),
    table: row.tbl === null ? null : text('tbl'),
    definer: text('definer'),
    sqlMode: text('sqlMode'),
    characterSetClient: text('characterSetClient'),
    collationConnection: text('collationConnection'),
    databaseCollation: text('databaseCollation'),
    timeZone: row.timeZone === null ? null : text('timeZone'),
  };
}

/** Each of them shows all routines of a database, some without their bodies. */
const SHOWING_ROUTINES = [
  'ALL PRIVILEGES',
  'EXECUTE',
  'CREATE ROUTINE',
  'ALTER ROUTINE',
  'SHOW_ROUTINE',
  'SHOW CREATE ROUTINE',
];

function seesRoutines(grants: readonly string[], vendor: Inventory['vendor'], database: string): boolean {
  const held = privilegesOn(grants, database);
  if (globalPrivileges(grants).has('SELECT') || SHOWING_ROUTINES.some((name) => held.has(name))) return true;
  if (vendor !== 'mariadb') return false;
  const onSystem = privilegesOn(grants, 'mysql');
  return (
    onSystem.has('SELECT') ||
    onSystem.has('ALL PRIVILEGES') ||
    grants.some((grant) => /^GRANT (?:.*, )?SELECT(?:, .*)? ON `mysql`\.`proc` TO /.test(grant))
  );
}

const SHOWN = 3;

function unseenRoutines(databases: readonly string[]): string[] {
  if (databases.length === 0) return [];
  const shown = databases
    .slice(0, SHOWN)
    .map((name) => JSON.stringify(name))
    .join(', ');
  const more = databases.length > SHOWN ? ` and ${databases.length - SHOWN} more` : '';
  return [
    `the user seems to lack the SELECT privilege on *.*, without which routines of other users are not dumped, on: ${shown}${more}`,
  ];
}
