/** Enough of a statement to know its kind: a table's name and a list of all SQL modes fit. */
export const HEAD_BYTES = 2048;

/**
 * The effect of a statement in a data file. `nothing` is text that is not sent: a comment at the
 * end of the file.
 */
export type StatementKind = 'inserts' | 'sets' | 'nothing' | 'foreign';

/** A table of the current database: a qualified name does not match. */
const NAME = '(?:`(?:[^`\\0]|``)+`|"(?:[^"\\0]|"")+"|[\\w$\\x80-\\xff]+)';
/** Rows given as such, not those that a query finds. */
const ROWS = '(?:VALUES\\b|\\(\\s*(?:[`"]|(?!(?:SELECT|WITH|TABLE|VALUES)\\b)[\\w$\\x80-\\xff]))';
const INSERT = new RegExp(`^(?:INSERT(?:\\s+IGNORE)?|REPLACE)\\s+INTO\\s+${NAME}\\s*${ROWS}`, 'i');

/** Of the session alone, and of no consequence for what was begun. */
const VARIABLE =
  '(?:character_set_client|character_set_results|collation_connection|' +
  'foreign_key_checks|unique_checks|sql_mode|sql_notes|time_zone)';
const VALUE = '(?:\'[^\'\\\\\\0]*\'|"[^"\\\\\\0]*"|@{0,2}\\w+)';
const ASSIGNED = `(?:(?:SESSION\\s+|@@SESSION\\.|@@)?${VARIABLE}|@(?:OLD|PREV)_\\w+)`;
const ASSIGNMENT = `${ASSIGNED}\\s*:?=\\s*${VALUE}`;
const NAMES = "NAMES\\s+'?\\w+'?(?:\\s+COLLATE\\s+'?\\w+'?)?";
const SETTING = `SET\\s+(?:${NAMES}|${ASSIGNMENT}(?:\\s*,\\s*${ASSIGNMENT})*)`;
const SET = new RegExp(`^(?:${SETTING}|/\\*!\\d{5,6}\\s+${SETTING}\\s*\\*/)\\s*;?\\s*$`, 'i');

/**
 * Derives a statement's effect from its beginning: the whole statement, or its first `HEAD_BYTES`,
 * each byte a character. Comments may stand before it. Comments that the server runs are
 * statements. They are refused, like everything that is neither rows nor a setting of ours. Pure.
 */
export function kindOf(head: string): StatementKind {
  const text = withoutComments(head);
  if (text === undefined) return 'foreign';
  if (text === '') return 'nothing';
  if (INSERT.test(text)) return 'inserts';
  return SET.test(text) ? 'sets' : 'foreign';
}

/** undefined when a comment does not end. */
function withoutComments(text: string): string | undefined {
  let rest = text.trimStart();
  for (;;) {
    const isLine = /^--[ \t\n]/.test(rest);
    if (!isLine && !/^\/\*(?!M?!)/.test(rest)) return rest;
    const ending = isLine ? '\n' : '*/';
    const end = rest.indexOf(ending, 2);
    if (end === -1) return undefined;
    // What reads the file stops at a NUL.
    if (rest.slice(0, end).includes('\0')) return undefined;
    rest = rest.slice(end + ending.length).trimStart();
  }
}
