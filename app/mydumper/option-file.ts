import { closeSync, fchmodSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { ServerConfig } from '../config.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

/**
 * Session variables that mydumper sets on each connection, by name. Values are SQL literals of
 * ours.
 */
export type SessionSettings = Readonly<Record<string, number | string>>;

/**
 * SQL mode of mydumper's sessions. Under the server's own mode NO_BACKSLASH_ESCAPES, ANSI_QUOTES or
 * ORACLE change what mydumper writes. 1.x also writes its mode into every file, and loading under
 * NO_ZERO_IN_DATE or EMPTY_STRING_IS_NULL changes values.
 */
const SQL_MODE: Readonly<Record<Generation, string>> = {
  classic: "''",
  modern: "'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
};

/**
 * The option file both generations read: the password (which must be in no argv) and what the
 * session needs. The MySQL client libraries take `[client]`; upstream 1.x takes session variables
 * from a section of its own and would refuse unknown keys in `[mydumper]`. 1.x only warns when the
 * server refuses one of those; a connection fails when the server refuses one of `required`.
 */
export function renderOptionFile(
  server: ServerConfig,
  session: SessionSettings,
  generation: Generation,
  tls: ToolTls,
  required: SessionSettings = {},
): string {
  const assignments = assignmentsOf({ ...session, sql_mode: SQL_MODE[generation] });
  const conditions = assignmentsOf(required);
  const atConnect = generation === 'classic' ? [...assignments, ...conditions] : conditions;
  const lines = clientLines(server, tls);
  if (atConnect.length > 0)
    lines.push(`init-command=${quoteOption(`SET SESSION ${atConnect.join(', ')}`)}`);
  if (generation === 'modern') lines.push('[mydumper_session_variables]', ...assignments);
  return `${lines.join('\n')}\n`;
}

function assignmentsOf(settings: SessionSettings): string[] {
  return Object.entries(settings).map(([name, value]) => `${name}=${value}`);
}

/**
 * The option file of myloader: it sets its session itself, and objects keep the server's own SQL
 * mode. Events keep the time zone of the session that creates them: in 0.10 that of the tables'
 * files, if these are in the same run, so it is set for all runs.
 */
export function renderLoaderOptionFile(
  server: ServerConfig,
  generation: Generation,
  inUtc: boolean,
  tls: ToolTls,
): string {
  const lines = clientLines(server, tls);
  if (generation === 'classic' && inUtc)
    lines.push(`init-command=${quoteOption("SET SESSION time_zone='+00:00'")}`);
  // 1.x switches the binary log off otherwise, and its later versions ignore --enable-binlog. Where
  // it may not be set it stays on.
  if (generation === 'modern') lines.push('[myloader_session_variables]', 'SQL_LOG_BIN=1');
  return `${lines.join('\n')}\n`;
}

/**
 * The `[client]` section. Here `protocol=tcp` would undo the flag `--protocol=tcp` with MariaDB's
 * client library.
 */
export function clientLines(server: ServerConfig, tls: ToolTls): string[] {
  return ['[client]', `password=${quoteOption(server.password)}`, ...tls.lines];
}

/**
 * A value in double quotes with the escapes that MySQL's and MariaDB's option file readers share.
 * https://dev.mysql.com/doc/refman/8.4/en/option-files.html#option-file-syntax
 */
export function quoteOption(value: string): string {
  const escaped = value
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\n/g, '\\n')
    .replace(/\r/g, '\\r')
    .replace(/\t/g, '\\t');
  return `"${escaped}"`;
}

/**
 * Creates the file with mode 0600, never through a link or over a file that is there.
 * @throws NodeJS errors such as EEXIST.
 */
export function writeOptionFile(path: string, content: string): void {
  const descriptor = openSync(path, 'wx', 0o600);
  try {
    fchmodSync(descriptor, 0o600);
    writeSync(descriptor, content);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
