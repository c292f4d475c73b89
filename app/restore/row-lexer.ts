import { DIGITS, DOUBLE, EVENTS } from './row-grammar.ts';
import { rowTable } from './row-table.ts';
import type { Syntax } from './setting-statement.ts';

const DOUBLE_QUOTE = 34;
const SINGLE_QUOTE = 39;
const BACKSLASH = 92;
/** No byte. */
const NONE = 256;
/** After so many bytes without a quote or escape, the runtime's own search is faster. */
const SHORT = 1024;
/** How far that search looks at first. */
const WINDOW = 4096;

/** Where a lexer stands. It goes on from there with the next chunk. */
export type RowLexer = {
  /** Of the grammar's automaton. */
  state: number;
  /** Index of the next byte in the chunk. */
  at: number;
  readonly table: Uint8Array;
  /** The byte that escapes the next one in literals, or NONE. */
  readonly escaping: number;
};

export function createRowLexer(syntax: Syntax, counts: boolean): RowLexer {
  return {
    state: 0,
    at: 0,
    table: rowTable(syntax, counts),
    escaping: syntax.backslash ? BACKSLASH : NONE,
  };
}

/**
 * Reads on to the next event, which is then the lexer's state, or to the chunk's end. The byte that
 * made the event is the one before `at`.
 */
export function toNextEvent(lexer: RowLexer, data: Buffer): void {
  run(lexer, data);
  while (lexer.state >= EVENTS && lexer.at < data.length) {
    lexer.at = endOfPlain(data, lexer.at, quoteOf(lexer.state), lexer.escaping);
    run(lexer, data);
  }
}

/**
 * As `toNextEvent`, but stops also in a literal that is not short. It calls nothing: a call
 * anywhere in this loop costs a quarter of its speed.
 */
function run(lexer: RowLexer, data: Buffer): void {
  const { table, escaping } = lexer;
  const end = data.length;
  let { state, at } = lexer;
  while (at < end) {
    if (state >= DOUBLE && state <= DIGITS) {
      if (state === DIGITS) {
        let byte = data[at] ?? 0;
        while (byte >= 48 && byte <= 57) {
          at += 1;
          if (at === end) break;
          byte = data[at] ?? 0;
        }
        if (at === end) break;
      } else {
        const quote = (state & 1) === 1 ? SINGLE_QUOTE : DOUBLE_QUOTE;
        const stop = at + SHORT < end ? at + SHORT : end;
        while (at < stop) {
          const byte = data[at] ?? 0;
          if (byte === quote || byte === escaping) break;
          at += 1;
        }
        if (at === stop) break;
      }
    }
    state = table[(state << 8) | (data[at] ?? 0)] ?? 0;
    at += 1;
    if (state < EVENTS) break;
  }
  lexer.state = state;
  lexer.at = at;
}

/** Of a state in a literal. */
function quoteOf(state: number): number {
  return (state & 1) === 1 ? SINGLE_QUOTE : DOUBLE_QUOTE;
}

/** The next quote or escape. Searches windows that grow, so that it looks ahead no further. */
function endOfPlain(data: Buffer, from: number, quote: number, escaping: number): number {
  let at = from;
  for (let size = WINDOW; at < data.length; size *= 2) {
    const window = data.subarray(at, at + size);
    const quoteAt = window.indexOf(quote);
    const plain = quoteAt === -1 ? window : window.subarray(0, quoteAt);
    const escapeAt = escaping === NONE ? -1 : plain.indexOf(escaping);
    if (escapeAt !== -1) return at + escapeAt;
    if (quoteAt !== -1) return at + quoteAt;
    at += window.length;
  }
  return at;
}
