/** The parts of a session's settings that decide how its statements are read. */
export type Syntax = {
  /** A backslash in a literal escapes the next byte: no NO_BACKSLASH_ESCAPES. */
  readonly backslash: boolean;
  /** `"…"` is a name, not a literal. */
  readonly ansiQuotes: boolean;
};

export const INITIAL_SYNTAX: Syntax = { backslash: true, ansiQuotes: false };

const SPACE = '[ \\t\\r\\n]';
/** Of the session alone, and of no consequence for what was begun. */
const VARIABLE =
  '(?:character_set_client|character_set_results|collation_connection|' +
  'foreign_key_checks|unique_checks|sql_mode|sql_notes|time_zone)';
/** Without `@` at its beginning, so that it differs from a variable when its quotes are gone. */
const TEXT = '(?!@)[ !#-&(-\\[\\]-~]*';
const VALUE = `(?:'${TEXT}'|"${TEXT}"|@{0,2}\\w+)`;
const TARGET = `(?:(?:SESSION${SPACE}+|@@SESSION\\.|@@)?${VARIABLE}|@(?:OLD|PREV)_\\w+)`;
const ASSIGNMENT = `${TARGET}${SPACE}*:?=${SPACE}*${VALUE}`;
const WORD = "(?:'\\w+'|\\w+)";
const NAMES = `NAMES${SPACE}+${WORD}(?:${SPACE}+COLLATE${SPACE}+${WORD})?`;
const LIST = `${ASSIGNMENT}(?:${SPACE}*,${SPACE}*${ASSIGNMENT})*`;
const SETTING = `SET${SPACE}+(?:${NAMES}|${LIST})`;
const STATEMENT = new RegExp(
  `^(?:${SETTING}|/\\*!\\d{5,6}${SPACE}+${SETTING}${SPACE}*\\*/)${SPACE}*;`,
  'i',
);
const EACH_NAMES = new RegExp(
  `${SPACE}NAMES${SPACE}+(${WORD})(?:${SPACE}+COLLATE${SPACE}+(${WORD}))?`,
  'i',
);
const EACH = new RegExp(
  `(?:SESSION${SPACE}+|@@SESSION\\.|@@)?(@?\\w+)${SPACE}*:?=${SPACE}*(${VALUE})`,
  'gi',
);

/**
 * Character sets in which each byte below 0x80 is that character of ASCII, also within a longer
 * one. In GBK, Big5, SJIS and their kin a quote or backslash may be a character's second byte.
 */
const BYTEWISE =
  /^(?:binary|ascii|utf8(?:mb[34])?|latin[1257]|cp125[0167]|cp85[02]|koi8[ru]|greek|hebrew)$/i;

/**
 * Reads a SET statement at the beginning of the text. Returns the value of each variable without
 * its quotes, and the statement's length. A variable as value is returned as it stands.
 * Assignments to user variables are left out. Pure.
 */
export function readSetting(
  text: string,
): { readonly assignments: ReadonlyMap<string, string>; readonly length: number } | undefined {
  const statement = STATEMENT.exec(text)?.[0];
  if (statement === undefined) return undefined;
  const assignments = new Map<string, string>();
  const names = EACH_NAMES.exec(statement);
  if (names === null) {
    for (const [, name = '', value = ''] of statement.matchAll(EACH)) {
      if (!name.startsWith('@')) assignments.set(name.toLowerCase(), unquoted(value));
    }
  } else {
    const [, charset = '', collation] = names;
    assignments.set('names', unquoted(charset));
    if (collation !== undefined) assignments.set('collation_connection', unquoted(collation));
  }
  for (const name of ['names', 'character_set_client']) {
    const charset = assignments.get(name);
    if (charset !== undefined && !charset.startsWith('@') && !BYTEWISE.test(charset))
      return undefined;
  }
  return { assignments, length: statement.length };
}

function unquoted(value: string): string {
  return /^['"]/.test(value) ? value.slice(1, -1) : value;
}

/** Modes that contain ANSI_QUOTES, in MySQL or MariaDB. */
const ANSI = new Set(['ANSI_QUOTES', 'ANSI', 'DB2', 'MAXDB', 'MSSQL', 'ORACLE', 'POSTGRESQL']);

/**
 * The syntax after the assignments. A saved mode (`@OLD_SQL_MODE`) is the initial one. Pure.
 *
 * @returns undefined when the SQL mode is given in a form that does not tell, such as a number.
 */
export function syntaxAfter(
  assignments: ReadonlyMap<string, string>,
  before: Syntax,
): Syntax | undefined {
  const mode = assignments.get('sql_mode');
  if (mode === undefined) return before;
  if (/^@(?:OLD|PREV)_/i.test(mode)) return INITIAL_SYNTAX;
  if (!/^(?:[A-Z_]\w*(?:,[A-Z_]\w*)*)?,?$/i.test(mode) || /^DEFAULT$/i.test(mode)) return undefined;
  const modes = mode.toUpperCase().split(',');
  return {
    backslash: !modes.includes('NO_BACKSLASH_ESCAPES'),
    ansiQuotes: modes.some((each) => ANSI.has(each)),
  };
}
