import { isUtf8 } from 'node:buffer';
import { foreignText } from './insert-errors.ts';
import { readSetting, type Syntax, syntaxAfter } from './setting-statement.ts';

/** An INSERT up to its rows. */
export type Head = {
  readonly kind: 'head';
  /** Up to and with VALUES. */
  readonly length: number;
  readonly tolerant: boolean;
  readonly columns: readonly string[] | undefined;
};

export type Item =
  | Head
  | { readonly kind: 'comment'; readonly length: number }
  | {
      readonly kind: 'setting';
      /** With the line's end after it, if there is one. */
      readonly length: number;
      readonly assignments: ReadonlyMap<string, string>;
      readonly syntax: Syntax;
    };

/** A head, setting or comment of more bytes is refused. */
export const LARGEST_HEAD = 64 * 1024;

const SPACE = '[ \\t\\r\\n]';
const BACKTICKS = '`[^`\\0]*(?:``[^`\\0]*)*`';
const BARE = '[\\w$\\x80-\\xff]+';

function headPattern(name: string): RegExp {
  const list = `${name}(?:${SPACE}*,${SPACE}*${name})*`;
  return new RegExp(
    `^(INSERT(?:${SPACE}+IGNORE)?|REPLACE)${SPACE}+INTO(?:${SPACE}+|(?=[\`"]))(${name})` +
      `(?:${SPACE}*\\(${SPACE}*(${list})${SPACE}*\\)${SPACE}*|${SPACE}+|(?<=[\`"]))` +
      'VALUES(?=[ \\t\\r\\n(])',
    'i',
  );
}

const HEAD = headPattern(`(?:${BACKTICKS}|${BARE})`);
const ANSI_NAME = `(?:${BACKTICKS}|"[^"\\0]*(?:""[^"\\0]*)*"|${BARE})`;
const ANSI_HEAD = headPattern(ANSI_NAME);
const EACH_NAME = new RegExp(ANSI_NAME, 'g');

/**
 * Reads what stands between statements' rows: a comment, a setting, or an INSERT up to its rows.
 * Pure.
 *
 * @param bytes from its first byte, which is no white space.
 * @param isAll no further bytes will help: there are none, or too many already.
 * @param offset of the first byte in the file.
 * @returns undefined when more bytes are needed.
 * @throws ForeignStatement
 */
export function readItem(
  bytes: Buffer,
  isAll: boolean,
  { table, syntax, offset }: { table: string; syntax: Syntax; offset: number },
): Item | undefined {
  const text = bytes.toString('latin1');
  const foreign = () => foreignText(text, offset);
  const missing = (): undefined => {
    if (isAll) throw foreign();
  };
  const first = (text[0] ?? '').toUpperCase();
  if (first === '-' || first === '/') {
    const isLine = /^--[ \t\r\n]/.test(text);
    if (!isLine && text.length < 4) return missing();
    if (isLine || /^\/\*(?!M?!)/.test(text)) {
      const ending = isLine ? '\n' : '*/';
      const at = text.indexOf(ending, 2);
      // What reads the file may stop at a NUL.
      if (text.slice(0, at === -1 ? undefined : at).includes('\0')) throw foreign();
      return at === -1 ? missing() : { kind: 'comment', length: at + ending.length };
    }
  }
  if (first === 'S' || /^\/\*!/.test(text)) {
    const read = readSetting(text);
    if (read === undefined) return missing();
    const { assignments, length } = read;
    if (length === text.length && !isAll) return undefined;
    const next = syntaxAfter(assignments, syntax);
    if (next === undefined || (syntax.ansiQuotes && text.slice(0, length).includes('"')))
      throw foreign();
    const lineEnd = text[length] === '\n' ? 1 : 0;
    return { kind: 'setting', length: length + lineEnd, assignments, syntax: next };
  }
  if (first !== 'I' && first !== 'R') throw foreign();
  const match = (syntax.ansiQuotes ? ANSI_HEAD : HEAD).exec(text);
  if (match === null) return missing();
  const [{ length }, verb = '', name = '', list] = match;
  // A server may skip as many bytes in a name as a character's first byte promises.
  if (!isUtf8(bytes.subarray(0, length)) || nameOf(name) !== table) throw foreign();
  const tolerant = verb.length !== 'INSERT'.length;
  const columns = list?.match(EACH_NAME)?.map(nameOf);
  return { kind: 'head', length, tolerant, columns };
}

/** The head of a statement that was understood before. Pure. */
export function headOf(statement: Buffer): Pick<Head, 'length' | 'columns'> | undefined {
  const match = ANSI_HEAD.exec(statement.toString('latin1', 0, LARGEST_HEAD + 1));
  if (match === null) return undefined;
  return { length: match[0].length, columns: match[3]?.match(EACH_NAME)?.map(nameOf) };
}

/** @param text as it stands, a character for each byte. */
function nameOf(text: string): string {
  const quote = text[0] ?? '';
  const name = /[`"]/.test(quote) ? text.slice(1, -1).replaceAll(quote + quote, quote) : text;
  return Buffer.from(name, 'latin1').toString();
}
