import { RESTORE_STATE_DATABASE } from '../contract.ts';
import type { Contents } from '../manifest/completeness.ts';

/**
 * Schemas of the server itself, and the one in which restores keep their marks. A backup holds them
 * only when DATABASES names them.
 */
export const SYSTEM_SCHEMAS = [
  'mysql',
  'sys',
  'information_schema',
  'performance_schema',
  RESTORE_STATE_DATABASE,
] as const;

/**
 * MariaDB lists a directory of its data directory as a database of this name when the directory's
 * own name is not one of a database, such as `lost+found`. No server can create such a database.
 */
export const FOREIGN_DIRECTORY = '#mysql50#';

/**
 * Length limit of the names in one argument, in characters. Linux allows 128 KiB (MAX_ARG_STRLEN),
 * and a character of a name takes up to 4 bytes.
 */
export const LONGEST_LIST = 24 * 1024;
/** JavaScript reads these differently than PCRE, without an error. */
const READ_DIFFERENTLY = /\[[:.=]/;

/** Takes the user's own `--regex` out of the flags: it must be joined with ours. */
export function takeRegex(words: readonly string[]): {
  passed: string[];
  regex: string | undefined;
} {
  const passed: string[] = [];
  let regex: string | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const inline = /^--regex=(.*)$/s.exec(word);
    if (inline !== null) regex = inline[1];
    else if (word === '--regex' || word === '-x') {
      index += 1;
      regex = words[index];
    } else passed.push(word);
  }
  return { passed, regex };
}

/**
 * The filter of databases, joined with the user's own expression, which selects tables. mydumper
 * matches it against `database.table`. For the definition of a database, 0.10 matches
 * `database.(null)` and 1.x the bare name. The filter selects the definition of each database in
 * `defined`.
 *
 * Both generations ignore case and let `^` and `$` match at any line end: hence `(?-i:)`, `\A` and
 * `\z`. 0.10 has no other way to select several databases.
 */
export function databaseRegex(
  databases: readonly string[],
  expression?: string,
  defined: readonly string[] | 'all' = 'all',
): string {
  const ours =
    databases.length === 0
      ? `(?!(?:${anyOf(SYSTEM_SCHEMAS)})(?:\\.|\\z)|${escapeRegex(FOREIGN_DIRECTORY)})`
      : `(?=(?-i:${anyOf(databases)})(?:\\.|\\z))`;
  if (expression === undefined) return `\\A${ours}`;
  const definition = defined === 'all' ? '[^.]*' : `(?-i:${anyOf(defined)})`;
  return `\\A${ours}(?=${definition}(?:\\.\\(null\\))?\\z|[\\s\\S]*?(?:${expression}))`;
}

/**
 * The databases whose definitions the user's expression needs. These are all databases when
 * JavaScript cannot read the expression as PCRE does: an extra definition does no harm.
 */
export function databasesSelectedBy(
  expression: string,
  contents: Contents,
): readonly string[] | 'all' {
  if (READ_DIFFERENTLY.test(expression)) return 'all';
  let pattern: RegExp;
  try {
    // With `u`, JavaScript throws for each escape that it does not know, such as PCRE's \A.
    pattern = new RegExp(expression, 'imu');
  } catch {
    return 'all';
  }
  const { tables, views } = contents;
  const selected = [...tables, ...views].filter(({ database, table }) =>
    pattern.test(`${database}.${table}`),
  );
  const names = [...new Set(selected.map(({ database }) => database))];
  return names.length === 0 || names.join('|').length > LONGEST_LIST ? 'all' : names;
}

function anyOf(names: readonly string[]): string {
  return names.map(escapeRegex).join('|');
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/#\s-]/g, '\\$&');
}
