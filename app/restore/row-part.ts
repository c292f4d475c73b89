import { foreignByte, RowTooLarge } from './insert-errors.ts';
import type { ReaderOptions, Rows } from './insert-statement.ts';

/** Longest white space between two rows. */
const LONGEST_GAP = 64 * 1024;
const SPACE = 32;

export type PartOptions = Pick<ReaderOptions, 'partBytes' | 'largestBytes' | 'skipTo'>;

/** What a statement's parts begin with. */
export type PartHead = Pick<Rows, 'tolerant' | 'plainBackslash'> & { readonly bytes: Uint8Array };

export type Part = ReturnType<typeof createPart>;

/**
 * Collects rows for one statement, as views of the chunks that hold them. Positions are indexes in
 * the present chunk; those kept are offsets in the file, since a row may begin chunks earlier.
 */
export function createPart({ partBytes, largestBytes, skipTo }: PartOptions) {
  const limit = Math.min(partBytes, largestBytes);
  let head: PartHead = { bytes: new Uint8Array(), tolerant: false };
  let data: Buffer = Buffer.alloc(0);
  /** Offset of the chunk. */
  let base = 0;
  /** What was cut from earlier chunks, or before something inserted. */
  let pieces: Uint8Array[] = [];
  /** From here on the chunk's bytes are not in `pieces` yet; -1 when they do not belong there. */
  let from = -1;
  let rows = 0;
  let start = 0;
  /** End of the last whole row. */
  let end = 0;
  let isOpen = false;
  let rowStart = 0;
  /** Bytes inserted, less those left out, in whole rows and in the open one. */
  let extra = 0;
  let rowExtra = 0;
  /** Offset of an introducer that is left out, or -1. */
  let omitted = -1;
  /** Numbers of pieces up to `end` and up to `rowStart`, once pieces are cut there. */
  let whole = -1;
  let gap = -1;

  const cutAt = (index: number): void => {
    if (from === -1 || index <= from) return;
    pieces.push(data.subarray(from, index));
    from = index;
  };
  const cutAroundGap = (): void => {
    if (rows > 0 && whole === -1) {
      cutAt(end - base);
      whole = pieces.length;
    }
    if (isOpen && gap === -1) {
      cutAt(rowStart - base);
      gap = pieces.length;
    }
  };
  /** The whole rows. What follows them stays. */
  const take = (after: number): Rows => {
    cutAroundGap();
    const given: Rows = {
      kind: 'rows',
      slices: [head.bytes, ...pieces.slice(0, whole)],
      bytes: head.bytes.length + end - start + extra,
      rows,
      end: after,
      tolerant: head.tolerant,
      ...(head.plainBackslash && { plainBackslash: true }),
    };
    pieces = isOpen ? pieces.slice(gap) : [];
    if (!isOpen) from = -1;
    rows = 0;
    start = rowStart;
    extra = 0;
    whole = -1;
    gap = isOpen ? 0 : -1;
    return given;
  };
  const sizeUpTo = (offset: number): number =>
    head.bytes.length + offset - start + extra + rowExtra;

  return {
    begin: (next: PartHead): void => {
      head = next;
    },
    /** The next chunk, of which nothing was read. */
    enter: (chunk: Buffer, offset: number): void => {
      data = chunk;
      base = offset;
      from = (rows > 0 || isOpen) && omitted === -1 ? 0 : -1;
    },
    /** All of the chunk was read. */
    leave: (): Rows | undefined => {
      const offset = base + data.length;
      if (rows === 0 && !isOpen) return undefined;
      if (!isOpen && offset - end > LONGEST_GAP) throw foreignByte(SPACE, end);
      const cut = isOpen && rows > 0 && sizeUpTo(offset) > limit ? take(end) : undefined;
      if (isOpen && rows === 0 && sizeUpTo(offset) > largestBytes)
        throw new RowTooLarge(sizeUpTo(offset), start);
      cutAroundGap();
      cutAt(data.length);
      return cut;
    },
    openRow: (index: number): void => {
      isOpen = true;
      rowStart = base + index;
      if (rows > 0) {
        if (rowStart - end > LONGEST_GAP) throw foreignByte(SPACE, end);
        return;
      }
      start = rowStart;
      from = index;
    },
    /** @returns the rows before this one when they do not fit into one statement with it. */
    closeRow: (index: number): Rows | undefined => {
      const offset = base + index;
      if (offset <= skipTo) {
        isOpen = false;
        pieces = [];
        from = -1;
        rowExtra = 0;
        gap = -1;
        return undefined;
      }
      const cut = rows > 0 && sizeUpTo(offset) > limit ? take(end) : undefined;
      if (rows === 0 && sizeUpTo(offset) > largestBytes)
        throw new RowTooLarge(sizeUpTo(offset), start);
      isOpen = false;
      rows += 1;
      end = offset;
      extra += rowExtra;
      rowExtra = 0;
      whole = -1;
      gap = -1;
      return cut;
    },
    /** @returns undefined when all rows were left out. */
    close: (index: number, after: number): Rows | undefined => {
      if (rows === 0) return undefined;
      if (base + index - end > LONGEST_GAP) throw foreignByte(SPACE, end);
      return take(after);
    },
    /** Leaves out the bytes from here to the next `insert`. */
    omit: (index: number): void => {
      cutAroundGap();
      cutAt(index);
      from = -1;
      omitted = base + index;
    },
    insert: (bytes: Uint8Array, index: number): void => {
      if (omitted === -1) {
        cutAroundGap();
        cutAt(index);
      } else {
        rowExtra -= base + index - omitted;
        omitted = -1;
      }
      pieces.push(bytes);
      rowExtra += bytes.length;
      from = index;
    },
    heldBytes: (): number => {
      if (rows > 0) return base + data.length - start;
      return isOpen ? base + data.length - rowStart : 0;
    },
  };
}
