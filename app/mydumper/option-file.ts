import { closeSync, fchmodSync, fsyncSync, openSync, writeSync } from 'node:fs';
import type { ServerConfig } from '../config.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

/**
 * Session variables that mydumper sets on each connection, by name. The values are SQL literals of
 * ours.
 */
export type SessionSettings = Readonly<Record<string, number | string>>;

/**
 * SQL mode of mydumper's sessions. The server's own mode could change the dump: by
 * NO_BACKSLASH_ESCAPES, ANSI_QUOTES or ORACLE. 1.x also writes its mode into every file. Loading
 * under NO_ZERO_IN_DATE or EMPTY_STRING_IS_NULL changes values.
 */
const SQL_MODE: Readonly<Record<Generation, string>> = {
  classic: "''",
  modern: "'NO_AUTO_VALUE_ON_ZERO,NO_ENGINE_SUBSTITUTION'",
};

/**
 * Renders the option file of mydumper: the password, which must not appear in an argv, and the
 * session settings. The MySQL client libraries read `[client]`. 1.x reads session variables from
 * its own section, and would refuse unknown keys in `[mydumper]`.
 *
 * When the server refuses a setting of `session`, 1.x only warns. When it refuses one of
 * `required`, the connection fails.
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
 * The `[client]` section. With MariaDB's client library `protocol=tcp` here would undo the flag
 * `--protocol=tcp`.
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
 * Creates the file with mode 0600. Never follows a link or replaces an existing file.
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
