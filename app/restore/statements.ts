import { HEAD_BYTES, kindOf } from './statement-heads.ts';

/** Where a statement ends. */
const ENDING = ';\n';
/** Of a statement that is refused. */
const SHOWN_CHARACTERS = 60;
const LINE_FEED = 10;
const SEMICOLON = 59;
const OPENING = 40;
const COMMA = 44;

/**
 * Bytes of a data file, up to the end of a statement or of the bytes so far; never of two
 * statements.
 */
export type Span = {
  readonly bytes: Buffer;
  /** It ends its statement. */
  readonly ends: boolean;
  /** Its statement is one that adds rows. */
  readonly inserts: boolean;
  /** Rows whose line begins in it. */
  readonly rows: number;
};

export type StatementScanner = {
  readonly scan: (chunk: Buffer) => Span[];
  /** The rest, which was too short to know its kind. */
  readonly end: () => Span[];
};

/**
 * A statement that does not belong in a data file. It could end the transaction in which a piece is
 * loaded, or do worse.
 */
export class ForeignStatement extends Error {
  constructor(head: string) {
    super(
      `it holds a statement that is no INSERT: ${JSON.stringify(head.slice(0, SHOWN_CHARACTERS))}`,
    );
    this.name = 'ForeignStatement';
  }
}

/**
 * Cuts a data file at its statements while it arrives. Statements end only with `;` at the end of a
 * line, since mydumper escapes line ends within values. Each row begins its own line with `(` or
 * `,(`.
 * @throws ForeignStatement
 */
export function createStatementScanner(): StatementScanner {
  let held: Buffer = Buffer.alloc(0);
  let inStatement = false;
  let inserts = false;
  /**
   * The last two bytes of the statement so far: a chunk may end between a line's end and a comma.
   */
  let before = LINE_FEED;
  let beforeThat = LINE_FEED;

  const scan = (chunk: Buffer, isLast: boolean): Span[] => {
    const data = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    held = Buffer.alloc(0);
    const spans: Span[] = [];
    let from = 0;
    while (from < data.length) {
      let at = from;
      if (!inStatement) {
        while (data[at] === LINE_FEED) at += 1;
        const start = data.subarray(at, at + HEAD_BYTES);
        const ending = start.indexOf(ENDING);
        if (ending === -1 && start.length < HEAD_BYTES && !isLast) {
          held = data.subarray(from);
          break;
        }
        const head = start.toString(
          'latin1',
          0,
          ending === -1 ? start.length : ending + ENDING.length,
        );
        const kind = kindOf(head);
        if (kind === 'foreign') throw new ForeignStatement(head);
        inserts = kind === 'inserts';
        inStatement = true;
        before = LINE_FEED;
      }
      const { end, ends, rows } = toEnd(data, at);
      spans.push({ bytes: data.subarray(from, end), ends, inserts, rows });
      inStatement = !ends;
      from = end;
    }
    return spans;
  };

  /** From `at` to the end of the statement, or of the data. */
  const toEnd = (data: Buffer, at: number): { end: number; ends: boolean; rows: number } => {
    let rows = 0;
    for (let position = at; position < data.length; ) {
      if (startsRow(data, position)) rows += 1;
      const lineEnd = data.indexOf(LINE_FEED, position);
      const end = lineEnd === -1 ? data.length : lineEnd + 1;
      const last = lineEnd > position ? data[lineEnd - 1] : before;
      beforeThat = end - position > 1 ? (data[end - 2] ?? 0) : before;
      before = data[end - 1] ?? 0;
      if (lineEnd !== -1 && last === SEMICOLON) return { end, ends: true, rows };
      position = end;
    }
    return { end: data.length, ends: false, rows };
  };

  const startsRow = (data: Buffer, position: number): boolean => {
    if (data[position] === OPENING)
      return before === LINE_FEED || (before === COMMA && beforeThat === LINE_FEED);
    return before === LINE_FEED && data[position] === COMMA && data[position + 1] === OPENING;
  };

  return { scan: (chunk) => scan(chunk, false), end: () => scan(Buffer.alloc(0), true) };
}
