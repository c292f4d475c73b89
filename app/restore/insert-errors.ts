/** Of a statement that is refused. */
const SHOWN_CHARACTERS = 60;

/**
 * Something that does not belong in a data file. It could end the transaction in which rows are
 * loaded, or do worse.
 */
export class ForeignStatement extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ForeignStatement';
  }
}

/** @param text the statement's beginning, a character for each byte. */
export function foreignText(text: string, offset: number): ForeignStatement {
  const shown = JSON.stringify(text.slice(0, SHOWN_CHARACTERS));
  return new ForeignStatement(
    `it holds a statement that is no INSERT into its table, at byte ${offset}: ${shown}`,
  );
}

/** Names one byte only: those around it may be a user's data. */
export function foreignByte(byte: number, offset: number): ForeignStatement {
  const shown = JSON.stringify(String.fromCharCode(byte));
  return new ForeignStatement(
    `a row or what follows it is not as mydumper writes it: ${shown} at byte ${offset}`,
  );
}

/** A row that fits into no statement that the server takes. */
export class RowTooLarge extends Error {
  /** Of the statement with this row alone, as far as it was read: the row may be larger still. */
  readonly bytes: number;

  constructor(bytes: number, offset: number) {
    super(`the row at byte ${offset} makes a statement of at least ${bytes} bytes`);
    this.name = 'RowTooLarge';
    this.bytes = bytes;
  }
}
