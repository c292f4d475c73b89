import type { Database, Row } from './connection.ts';
import { listNames } from './names.ts';

/** A routine, trigger or event with the settings that its text depends on. */
export type Program = {
  /**
   * As the server reports it, in lower case: `procedure`, `function`, `package`, `package body`,
   * `trigger`, `event`.
   */
  readonly kind: string;
  readonly database: string;
  readonly name: string;
  /** Null unless it is a trigger. */
  readonly table: string | null;
  /** `user@host`. */
  readonly definer: string;
  readonly sqlMode: string;
  readonly characterSetClient: string;
  readonly collationConnection: string;
  readonly databaseCollation: string;
  /** Null unless it is an event. */
  readonly timeZone: string | null;
};

export type Programs = {
  readonly list: readonly Program[];
  /**
   * Why programs may be missing from the list and the dump, or lack settings in the list. Empty if
   * the user sees all.
   */
  readonly unseen: readonly string[];
};

const SETTINGS =
  'DEFINER AS definer, SQL_MODE AS sqlMode, CHARACTER_SET_CLIENT AS characterSetClient, ' +
  'COLLATION_CONNECTION AS collationConnection, DATABASE_COLLATION AS databaseCollation';

const QUERIES = [
  `SELECT ROUTINE_SCHEMA AS db, LOWER(ROUTINE_TYPE) AS kind, ROUTINE_NAME AS name,
     NULL AS tbl, NULL AS timeZone, ${SETTINGS}
   FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = ?`,
  `SELECT TRIGGER_SCHEMA AS db, 'trigger' AS kind, TRIGGER_NAME AS name,
     EVENT_OBJECT_TABLE AS tbl, NULL AS timeZone, ${SETTINGS}
   FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = ?`,
  `SELECT EVENT_SCHEMA AS db, 'event' AS kind, EVENT_NAME AS name,
     NULL AS tbl, TIME_ZONE AS timeZone, ${SETTINGS}
   FROM information_schema.EVENTS WHERE EVENT_SCHEMA = ?`,
] as const;

/**
 * Reads the programs of these databases, as far as the user sees them. Asks for one database at a
 * time: of two databases whose names differ in case alone, `IN` finds the rows of one only, and `=`
 * the rows of both.
 * @throws the server's error when something cannot be read.
 */
export async function readPrograms(
  database: Database,
  databases: readonly string[],
): Promise<readonly Program[]> {
  const list: Program[] = [];
  for (const name of databases) {
    for (const sql of QUERIES) {
      const rows = await database.query(sql, [name]);
      for (const row of rows) if (row.db === name) list.push(programOf(row));
    }
  }
  return list;
}

/**
 * A line about programs without the settings of their creation. MariaDB has none for routines and
 * events that are older than these settings.
 */
export function missingSettings(list: readonly Program[]): string[] {
  const names = list
    .filter((program) =>
      [program.characterSetClient, program.collationConnection, program.databaseCollation].includes(
        '',
      ),
    )
    .map(({ kind, database, name }) => `${kind} ${database}.${name}`);
  if (names.length === 0) return [];
  return [
    'the server does not report the character set and collations of these programs, so the ' +
      `manifest lacks them: ${listNames(names)}`,
  ];
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
