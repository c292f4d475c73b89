import { STEP_BYTES, takenFor } from './staged-file.ts';
import { createStatementScanner, ForeignStatement, type Span } from './statements.ts';

/** A statement's place in the dump's file. */
export type LargeStatement = { readonly offset: number; readonly bytes: number };

/** What is known of a file's statements before it is cut. */
export type Statements = {
  /** Bytes before the first INSERT; they stand at the beginning of each piece. */
  readonly prologueBytes: number;
  /** Those of more than so many bytes as were asked for, in order. */
  readonly large: readonly LargeStatement[];
  /** It holds something that may not be loaded. */
  readonly foreign: ForeignStatement | undefined;
};

/** Finds a file's large statements while its content comes in. */
export function createStatementFinder(aboveBytes: number): {
  readonly saw: (chunk: Buffer) => void;
  readonly end: () => Statements;
} {
  const scanner = createStatementScanner();
  const large: LargeStatement[] = [];
  let foreign: ForeignStatement | undefined;
  let prologueBytes: number | undefined;
  let offset = 0;
  let start = 0;
  const endStatement = () => {
    if (prologueBytes !== undefined && offset - start > aboveBytes)
      large.push({ offset: start, bytes: offset - start });
    start = offset;
  };
  const look = (scan: () => Span[]) => {
    if (foreign !== undefined) return;
    try {
      for (const { bytes, ends, inserts } of scan()) {
        if (inserts) prologueBytes ??= start;
        offset += bytes.byteLength;
        if (ends) endStatement();
      }
    } catch (error) {
      if (!(error instanceof ForeignStatement)) throw error;
      foreign = error;
    }
  };
  return {
    saw: (chunk) => look(() => scanner.scan(chunk)),
    end: () => {
      look(() => scanner.end());
      endStatement();
      return { prologueBytes: prologueBytes ?? offset, large, foreign };
    },
  };
}

/** Of the statements that are added to a piece of one statement. */
const GUARD_BYTES = 1024;

/** Disk that a statement takes in a piece of its own. */
export function neededBytes(statement: LargeStatement, { prologueBytes }: Statements): number {
  return takenFor(prologueBytes + statement.bytes + GUARD_BYTES);
}

/**
 * The largest size of a statement that always fits beside the earlier bytes of its batch, once the
 * previous batch is loaded. Those bytes are full pieces of at most `batchBytes`, where a batch may
 * hold several, and one piece that is not full. Pure.
 */
export function alwaysFits(
  usableBytes: number,
  batchBytes: number,
  pieceBytes: number,
  threads: number,
): number {
  return usableBytes - (threads > 1 ? batchBytes : 0) - pieceBytes - 3 * STEP_BYTES;
}
