import { ForeignStatement, foreignByte, foreignText, RowTooLarge } from './insert-errors.ts';
import { LARGEST_HEAD, readItem } from './insert-head.ts';
import type { InsertReader, ReaderOptions, Rows, Setting } from './insert-statement.ts';
import {
  COMMA,
  DOUBLE,
  END,
  FIRST,
  FOREIGN,
  INTRODUCER,
  OPEN,
  ROW,
  SINGLE,
  TEXT,
  TEXT_DOUBLE,
  TEXT_SINGLE,
  TEXT_X,
  VALUE,
} from './row-grammar.ts';
import { createRowLexer, toNextEvent } from './row-lexer.ts';
import { createPart, type PartHead } from './row-part.ts';
import { INITIAL_SYNTAX } from './setting-statement.ts';

export type { InsertReader, ReaderOptions, Rows, Setting } from './insert-statement.ts';
export { literalAt } from './literal-at.ts';
export { ForeignStatement, RowTooLarge };

/** How much of a head, setting or comment is looked at first. */
const USUAL_ITEM = 2048;
const LINE_FEED = 10;
const CLOSING = 41;
const ASCII = Buffer.from('_ascii ');
const EMPTY = Buffer.alloc(0);

/**
 * Cuts a data file into statements while it arrives. Understands every byte of what it gives: rows
 * of literals and numbers for one table. The rest is refused.
 *
 * The server must read the statements alike. So the caller's connection has a character set in
 * which bytes below 0x80 are ASCII (such as binary or utf8mb4), no `multipleStatements`, and of
 * ANSI_QUOTES and NO_BACKSLASH_ESCAPES those that the last `sql_mode` given has. At first it has
 * neither.
 */
export function createInsertReader(options: ReaderOptions): InsertReader {
  const { table, textColumns } = options;
  const counts = textColumns.size > 0;
  const part = createPart(options);
  let syntax = INITIAL_SYNTAX;
  let lexer = createRowLexer(syntax, counts);
  let head: PartHead & { readonly texts: readonly boolean[] } = {
    bytes: EMPTY,
    tolerant: false,
    texts: [],
  };
  let inRows = false;
  let column = 0;
  /** The beginning of a head, setting or comment that was not all there. */
  let held: Buffer = EMPTY;
  /** A statement's last part, until the byte after its `;` is known. */
  let closing: Rows | undefined;
  /** Of the chunk in the file. */
  let offset = 0;

  const beginRows = (): void => {
    part.begin(head);
    lexer.state = FIRST;
    inRows = true;
  };

  /** Reads one comment, setting or head, and what white space is before it. */
  const readBetween = (chunk: Buffer, given: (Rows | Setting)[]): void => {
    if (held.length === 0) {
      while (isSpace(chunk[lexer.at])) lexer.at += 1;
      if (lexer.at === chunk.length) return;
      const { bytes } = head;
      if (bytes.length > 0 && isAt(bytes, chunk, lexer.at)) {
        lexer.at += bytes.length;
        beginRows();
        return;
      }
    }
    for (const largest of [USUAL_ITEM, LARGEST_HEAD]) {
      if (held.length >= largest) continue;
      const bytes = beginning(held, chunk, lexer.at, largest);
      const isAll = bytes.length === LARGEST_HEAD;
      const itemOffset = offset + lexer.at - held.length;
      const item = readItem(bytes, isAll, { table, syntax, offset: itemOffset });
      if (item === undefined) {
        if (bytes.length === largest) continue;
        held = Buffer.from(bytes);
        lexer.at = chunk.length;
        return;
      }
      lexer.at += item.length - held.length;
      held = EMPTY;
      if (item.kind === 'setting') {
        const { assignments, length } = item;
        given.push({ kind: 'setting', assignments, end: itemOffset + length });
        if (item.syntax !== syntax) {
          syntax = item.syntax;
          lexer = { ...createRowLexer(syntax, counts), at: lexer.at };
          head = { ...head, bytes: EMPTY };
        }
      } else if (item.kind === 'head') {
        const texts = (item.columns ?? options.columns).map((name) => textColumns.has(name));
        const { tolerant } = item;
        const own = Buffer.from(bytes.subarray(0, item.length));
        head = { bytes: own, tolerant, texts, ...(!syntax.backslash && { plainBackslash: true }) };
        beginRows();
      }
      return;
    }
  };

  /** Reads rows up to the statement's or the chunk's end. */
  const readRows = (chunk: Buffer, given: (Rows | Setting)[]): void => {
    while (lexer.at < chunk.length) {
      toNextEvent(lexer, chunk);
      const last = lexer.at - 1;
      switch (lexer.state) {
        case ROW: {
          if (counts && column !== head.texts.length - 1) throw foreignByte(CLOSING, offset + last);
          const cut = part.closeRow(lexer.at);
          if (cut !== undefined) given.push(cut);
          break;
        }
        case OPEN:
          part.openRow(last);
          column = 0;
          if (counts) lexer.state = valueState();
          break;
        case COMMA:
          column += 1;
          lexer.state = valueState();
          break;
        case INTRODUCER:
          part.omit(last);
          break;
        case FOREIGN:
          throw foreignByte(chunk[last] ?? 0, offset + last);
        case END:
          endRows(chunk, given);
          return;
        default:
          if (lexer.state > INTRODUCER && lexer.state <= TEXT_X) insertAscii(last);
      }
    }
  };

  const valueState = (): number => (head.texts[column] === true ? TEXT : VALUE);

  const insertAscii = (index: number): void => {
    part.insert(ASCII, index);
    if (lexer.state === TEXT_DOUBLE) lexer.state = DOUBLE;
    if (lexer.state === TEXT_SINGLE) lexer.state = SINGLE;
  };

  const endRows = (chunk: Buffer, given: (Rows | Setting)[]): void => {
    inRows = false;
    const after = chunk[lexer.at] === LINE_FEED ? 1 : 0;
    const rows = part.close(lexer.at - 1, offset + lexer.at + after);
    lexer.at += after;
    if (rows === undefined) return;
    if (lexer.at < chunk.length || after === 1) given.push(rows);
    else closing = rows;
  };

  return {
    read: (chunk) => {
      const given: (Rows | Setting)[] = [];
      if (chunk.length === 0) return given;
      lexer.at = 0;
      if (closing !== undefined) {
        const after = chunk[0] === LINE_FEED ? 1 : 0;
        given.push({ ...closing, end: closing.end + after });
        closing = undefined;
        lexer.at = after;
      }
      part.enter(chunk, offset);
      while (lexer.at < chunk.length) {
        if (inRows) readRows(chunk, given);
        else readBetween(chunk, given);
      }
      const cut = part.leave();
      if (cut !== undefined) given.push(cut);
      offset += chunk.length;
      return given;
    },
    end: () => {
      if (inRows) throw new ForeignStatement(`it ends within a statement, at byte ${offset}`);
      if (held.length > 0) {
        const itemOffset = offset - held.length;
        const item = readItem(held, true, { table, syntax, offset: itemOffset });
        if (item?.kind === 'head') throw foreignText(held.toString('latin1'), itemOffset);
        if (item?.kind === 'setting')
          return [
            { kind: 'setting', assignments: item.assignments, end: itemOffset + item.length },
          ];
      }
      const given = closing === undefined ? [] : [closing];
      closing = undefined;
      return given;
    },
    pendingBytes: () => part.heldBytes() + held.length + (closing?.bytes ?? 0),
  };
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === LINE_FEED || byte === 13 || byte === 9;
}

function isAt(bytes: Buffer | Uint8Array, chunk: Buffer, at: number): boolean {
  const end = at + bytes.length;
  return end <= chunk.length && chunk.compare(bytes, 0, bytes.length, at, end) === 0;
}

/** The held bytes with those of the chunk, but no more than `largest`. */
function beginning(held: Buffer, chunk: Buffer, at: number, largest: number): Buffer {
  const next = chunk.subarray(at, at + Math.max(0, largest - held.length));
  return held.length === 0 ? next : Buffer.concat([held, next]);
}
