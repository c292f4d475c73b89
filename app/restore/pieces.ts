/**
 * A stretch of a data file, from one statement's start to another's end, that was or is to be
 * loaded as one. Offsets in bytes.
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
   * Tables (`name` of a file's table, as given) in which something half loaded is: to be emptied
   * and loaded anew.
   */
  readonly spoiled: ReadonlySet<string>;
  /** Loaded stretches by file, in order, of tables that are not spoiled. */
  readonly loaded: ReadonlyMap<string, readonly Piece[]>;
};

/**
 * What an interrupted restore has come to. Pure. `tableOf` names the table a file's rows go into. A
 * piece that was begun and not loaded cannot be taken back by itself, so its table starts anew; one
 * that was neither left nothing.
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
