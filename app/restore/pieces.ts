/**
 * A range of a data file, from one statement's start to another's end, that is loaded as one unit.
 * Offsets in bytes.
 */
export type Piece = {
  readonly id: number;
  /** Name of the file in the backup. */
  readonly file: string;
  readonly start: number;
  readonly end: number;
  readonly rows: number;
  /** Something of it may be in the table. */
  readonly begun: boolean;
  /** All of it is. */
  readonly loaded: boolean;
};

export type ResumePlan = {
  /**
   * Tables (`name` of a file's table, as given) with something half loaded. They are emptied and
   * loaded again.
   */
  readonly spoiled: ReadonlySet<string>;
  /** Loaded stretches by file, in order, of tables that are not spoiled. */
  readonly loaded: ReadonlyMap<string, readonly Piece[]>;
};

/**
 * The state of an interrupted restore. `tableOf` names the table of a file's rows. A piece that was
 * begun and not loaded cannot be undone by itself, so its whole table is loaded again. A piece that
 * is neither begun nor loaded left nothing. Pure.
 */
export function planResume(
  pieces: readonly Piece[],
  tableOf: (file: string) => string | undefined,
): ResumePlan {
  const spoiled = new Set<string>();
  for (const { file, begun, loaded } of pieces) {
    const table = tableOf(file);
    if (begun && !loaded && table !== undefined) spoiled.add(table);
  }
  const loaded = new Map<string, Piece[]>();
  for (const piece of pieces) {
    if (!piece.loaded || spoiled.has(tableOf(piece.file) ?? '')) continue;
    const of = loaded.get(piece.file) ?? [];
    of.push(piece);
    loaded.set(piece.file, of);
  }
  for (const of of loaded.values()) of.sort((left, right) => left.start - right.start);
  return { spoiled, loaded };
}

/** Bytes of a file that are loaded. Stretches never overlap. */
export function loadedBytes(pieces: readonly Piece[] | undefined): number {
  return (pieces ?? []).reduce((sum, { start, end }) => sum + end - start, 0);
}
