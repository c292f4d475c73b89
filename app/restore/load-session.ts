import type { ServerConfig } from '../config.ts';
import { type Database, openDatabase } from '../database/connection.ts';

/**
 * Settings of each connection that loads, by name. A restore inherits nothing from the server's
 * defaults. Servers know different ones of them: each sets those that it has.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Rows are loaded in the order of the files, and definitions come without their parents.
  foreign_key_checks: '0',
  // With 0 MariaDB locks an empty table for the whole first transaction, and a rollback of that
  // transaction loses the table's AUTO_INCREMENT.
  unique_checks: '1',
  check_constraint_checks: '0',
  sql_safe_updates: '0',
  sql_notes: '1',
  // A restore waits for S3 between two statements, and for other connections of its own.
  wait_timeout: '2147483',
  net_read_timeout: '2147483',
  net_write_timeout: '2147483',
  idle_transaction_timeout: '0',
  idle_write_transaction_timeout: '0',
  max_statement_time: '0',
  innodb_lock_wait_timeout: '3600',
  lock_wait_timeout: '86400',
  default_storage_engine: 'InnoDB',
};

/** Settings for which a server may ask for a privilege. Without it the server's value stays. */
const PRIVILEGED: Readonly<Record<string, string>> = {
  // Each warning about a row is read.
  max_error_count: '65535',
  // Definitions keep what the source held, such as row formats.
  innodb_strict_mode: '0',
  explicit_defaults_for_timestamp: '1',
  sql_require_primary_key: '0',
  sql_generate_invisible_primary_key: '0',
};

/** Modes that decide how the text of a file is read. */
const READING_MODES = ['ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES'];
/** Modes under which the server takes every value as it was dumped. */
const ROW_MODES = ['NO_AUTO_VALUE_ON_ZERO', 'ALLOW_INVALID_DATES'];

/** A connection that loads rows. */
export type LoadSession = {
  readonly database: Database;
  /** The longest statement that the server takes. */
  readonly packetBytes: number;
  /** Runs the statements, unless they are those that were run last. */
  readonly set: (statements: readonly string[]) => Promise<void>;
};

/** The server counts the packet's own header and the command. */
const PACKET_OVERHEAD_BYTES = 64;

export async function openLoadSession(server: ServerConfig): Promise<LoadSession> {
  const database = await openDatabase(server);
  // The next statement reports the loss.
  database.onLost(() => {});
  try {
    await beginLoadSession(database);
    const [row] = await database.query('SELECT @@max_allowed_packet AS bytes');
    let last = '';
    return {
      database,
      packetBytes: Number(row?.bytes) - PACKET_OVERHEAD_BYTES,
      set: async (statements) => {
        const text = statements.join(';');
        if (last === text) return;
        last = '';
        for (const statement of statements) await database.query(statement);
        last = text;
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** Prepares a connection for definitions and rows. It may be used for nothing else afterwards. */
export async function beginLoadSession({ query }: Database): Promise<void> {
  const names = [...Object.keys(SETTINGS), ...Object.keys(PRIVILEGED)];
  const rows = await query(
    `SHOW SESSION VARIABLES WHERE Variable_name IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  const known = new Set(rows.map((row) => String(row.Variable_name)));
  const assignments = Object.entries(SETTINGS)
    .filter(([name]) => known.has(name))
    .map(([name, value]) => `${name} = ${value}`);
  await query(`SET SESSION ${assignments.join(', ')}`);
  for (const [name, value] of Object.entries(PRIVILEGED))
    if (known.has(name)) await query(`SET SESSION ${name} = ${value}`).catch(() => {});
}

/**
 * Prepares the session for the rows of a file that has these settings, by name. Other settings of
 * files have no effect: only ours are sent.
 */
export function rowSettings(settings: ReadonlyMap<string, string>): string[] {
  const names = /^\w+$/.exec(settings.get('names') ?? '')?.[0] ?? 'binary';
  const zone = /^[-+:\w/]+$/.exec(settings.get('time_zone') ?? '')?.[0];
  const mode = (settings.get('sql_mode') ?? '').toUpperCase();
  const modes = [...READING_MODES.filter((name) => mode.includes(name)), ...ROW_MODES];
  return [
    `SET NAMES ${names}`,
    `SET SESSION sql_mode = '${modes.join(',')}'`,
    `SET SESSION time_zone = ${zone === undefined ? '@@GLOBAL.time_zone' : `'${zone}'`}`,
  ];
}
