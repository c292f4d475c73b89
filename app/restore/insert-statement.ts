/** Rows to send as one INSERT. */
export type Rows = {
  readonly kind: 'rows';
  /**
   * The statement's bytes without its `;`: the head (`INSERT INTO t (…) VALUES`), then rows.
   * Views of the chunks; only the head and inserted introducers are copies.
   */
  readonly slices: readonly Uint8Array[];
  readonly bytes: number;
  readonly rows: number;
  /**
   * Offset in the file after the last row, or after the statement's `;` and line end when it ends
   * the statement. Everything before it has been given.
   */
  readonly end: number;
  /** REPLACE or INSERT IGNORE rather than a plain INSERT. */
  readonly tolerant: boolean;
  /** NO_BACKSLASH_ESCAPES: a backslash in its literals is a byte like any other. */
  readonly plainBackslash?: true;
};

/** Settings, by lower-case names; SET NAMES as `names`. They are not sent as text. */
export type Setting = {
  readonly kind: 'setting';
  /** Without quotes. A variable as value (`@OLD_SQL_MODE`) stands as it is. */
  readonly assignments: ReadonlyMap<string, string>;
  readonly end: number;
};

export type ReaderOptions = {
  /** The table that the rows belong to. An INSERT into another, or a qualified one, is foreign. */
  readonly table: string;
  /** A statement is cut before the row that would make it larger. A larger row goes alone. */
  readonly partBytes: number;
  /** A statement with a single row (head included) above this throws RowTooLarge. */
  readonly largestBytes: number;
  /** Rows that end at or before this offset of the file are read, judged, and not given. */
  readonly skipTo: number;
  /** The table's columns, in the order of an INSERT without a list. */
  readonly columns: readonly string[];
  /**
   * Columns whose literals are text in any character set of the connection: UUID, INET6, INET4.
   * `"…"` and `_binary "…"` become `_ascii "…"`.
   */
  readonly textColumns: ReadonlySet<string>;
};

export type InsertReader = {
  /**
   * Takes the next chunk. Its bytes must stay unchanged until every statement with a slice of it
   * was sent.
   *
   * @throws ForeignStatement, RowTooLarge
   */
  readonly read: (chunk: Buffer) => (Rows | Setting)[];
  /** After the last chunk. @throws ForeignStatement when the file ends within a statement. */
  readonly end: () => (Rows | Setting)[];
  /** Bytes that were read and not given yet: they keep chunks alive. */
  readonly pendingBytes: () => number;
};
