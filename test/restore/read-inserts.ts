import {
  createInsertReader,
  type ReaderOptions,
  type Rows,
  type Setting,
} from '../../app/restore/insert-reader.ts';

export type Given = Rows | Setting;

const DEFAULTS: ReaderOptions = {
  table: 't',
  partBytes: 1e9,
  largestBytes: 1e9,
  skipTo: 0,
  columns: [],
  textColumns: new Set(),
};

/** Feeds the reader chunks of these sizes, over and over, each in memory of its own. */
export function readInChunks(
  content: Buffer | string,
  sizes: readonly number[],
  options: Partial<ReaderOptions> = {},
): Given[] {
  const bytes = Buffer.from(content);
  const reader = createInsertReader({ ...DEFAULTS, ...options });
  const given: Given[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    given.push(...reader.read(Buffer.from(bytes.subarray(at, at + size))));
    at += size;
  }
  return [...given, ...reader.end()];
}

export function rowsAmong(given: readonly Given[]): Rows[] {
  return given.filter((each) => each.kind === 'rows');
}

/** A character for each byte. */
export function textOf({ slices }: Pick<Rows, 'slices'>): string {
  return Buffer.concat(slices).toString('latin1');
}

/** What does not depend on the sizes of the chunks. */
export function comparable(given: readonly Given[]): unknown[] {
  return given.map((each) =>
    each.kind === 'rows'
      ? { ...each, slices: textOf(each) }
      : { ...each, assignments: Object.fromEntries(each.assignments) },
  );
}

/** Matches a word in any case. */
export function caseless(word: string): string {
  return word.replace(/[a-z]/gi, (letter) => `[${letter.toLowerCase()}${letter.toUpperCase()}]`);
}

const QUOTED = String.raw`"(?:[^"\\]|\\[^]|"")*"(?!")|'(?:[^'\\]|\\[^]|'')*'(?!')`;
const HEX = "0x[0-9A-Fa-f]+|[xX]'(?:[0-9A-Fa-f]{2})*'|[bB]'[01]*'";
const NUMBER = String.raw`[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?`;
const S = '[ \\t\\r\\n]*';
const SOME = '[ \\t\\r\\n]+';
const USING = `${SOME}${caseless('using')}${SOME}${caseless('utf8mb4')}`;
const CONVERT = `${caseless('convert')}${S}\\(${S}(?:${QUOTED})${USING}${S}\\)`;
const INTRODUCED = `_[0-9A-Za-z]+(?:${S}(?:${QUOTED})|${SOME}(?:${HEX}))`;
const VALUE = `(?:${caseless('null')}|${HEX}|${NUMBER}|${QUOTED}|${INTRODUCED}|${CONVERT})`;
/** One row, as an independent reading of the grammar. Of small texts only. */
export const ROW = `\\(${S}${VALUE}(?:${S},${S}${VALUE})*${S}\\)`;
/** Of a column. Characters outside ASCII are left out. */
const NAME = '(?:`(?:[^`\\0\\x80-\\xff]|``)*`|[\\w$]+)';
const COLUMNS = `${S}\\(${S}${NAME}(?:${S},${S}${NAME})*${S}\\)${S}`;
const VERB = `(?:${caseless('insert')}(?:${SOME}${caseless('ignore')})?|${caseless('replace')})`;
const HEAD =
  `${VERB}${SOME}${caseless('into')}(?:${S}\`t\`|${SOME}t)` +
  `(?:${COLUMNS}|(?<=\`)|${SOME})${caseless('values')}`;
/** A statement with rows for the table `t`, without its `;`. */
export const STATEMENT = `${HEAD}${S}${ROW}(?:${S},${S}${ROW})*`;
