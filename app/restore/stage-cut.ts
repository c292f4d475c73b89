import { Failure } from '../errors.ts';
import {
  alwaysFits,
  createStatementFinder,
  type LargeStatement,
  neededBytes,
  type Statements,
} from './large-statements.ts';
import type { Piece } from './pieces.ts';
import type { DumpFile } from './selection.ts';
import {
  beginPiece,
  type DataStage,
  foreign,
  openBatch,
  type PieceWriter,
  type StagedBatch,
  type StagedPiece,
  verified,
} from './stage.ts';
import { createStatementScanner } from './statements.ts';

const LEAST_PIECE_BYTES = 64 * 1024;

/**
 * Turns one file into batches of pieces, cut at statements. The file is larger than a batch, or
 * partly loaded. Only its last byte proves its content, so it is read twice: once to compare it,
 * then to load it. A statement too large to stand beside others gets its own batch.
 * @throws Failure `staging` before any of it is staged, when its largest statement does not fit
 *   into the budget by itself.
 */
export async function* stageCut(
  stage: DataStage,
  file: DumpFile,
): AsyncGenerator<{ batch: StagedBatch; takenBytes: number }> {
  const pieceBytes = Math.max(LEAST_PIECE_BYTES, stage.batchBytes / stage.threads);
  const loaded = [...stage.loadedOf(file)];
  const statements = await compare(stage, file, pieceBytes);
  const large = statements.large.filter(({ offset }) => !isWithin(loaded, offset));
  requireRoom(stage, file, statements, large);
  const prologue: Buffer[] = [];
  const scanner = createStatementScanner();
  let offset = 0;
  let pieceStart = 0;
  let atStart = true;
  let inPrologue = true;
  let skips = false;
  let writer: PieceWriter | undefined;
  let open: { directory: string; pieces: StagedPiece[]; takenBytes: number } | undefined;
  let count = 0;

  const endPiece = async () => {
    if (writer === undefined || open === undefined) return;
    open.pieces.push({ piece: await writer.end(offset), fileName: writer.file.name });
    open.takenBytes += writer.file.takenBytes();
    writer = undefined;
    pieceStart = offset;
  };
  const takeBatch = () => {
    const done = open;
    open = undefined;
    return done === undefined
      ? undefined
      : { batch: { directory: done.directory, pieces: done.pieces }, takenBytes: done.takenBytes };
  };
  const isFull = () =>
    open !== undefined &&
    (open.pieces.length >= stage.threads || open.takenBytes >= stage.batchBytes);
  let nextLarge = 0;
  const needsAll = () => {
    const statement = large[nextLarge];
    if (statement === undefined || statement.offset !== offset) return false;
    nextLarge += 1;
    const taken = (open?.takenBytes ?? 0) + (writer?.file.takenBytes() ?? 0);
    return taken + neededBytes(statement, statements) > stage.budget.usableBytes;
  };

  try {
    const chunks = async function* () {
      for await (const chunk of verified(stage, file)) {
        stage.onFetched(chunk.byteLength);
        yield foreign(file, () => scanner.scan(chunk));
      }
      yield foreign(file, () => scanner.end());
    };
    for await (const spans of chunks()) {
      for (const span of spans) {
        if (atStart) {
          inPrologue = inPrologue && !span.inserts;
          skips = !inPrologue && isWithin(loaded, offset);
          // A piece ends where the next one is loaded already.
          if (skips) await endPiece();
          const isCrowded = needsAll();
          if (isCrowded) await endPiece();
          if (isCrowded || isFull()) {
            const batch = takeBatch();
            if (batch !== undefined) yield batch;
          }
          if (!skips && !inPrologue && writer === undefined) {
            open ??= { directory: openBatch(stage), pieces: [], takenBytes: 0 };
            count += 1;
            writer = beginPiece(
              stage,
              file,
              open.directory,
              pieceName(file.name, count),
              pieceStart,
              0,
              prologue,
            );
          }
        }
        if (inPrologue) prologue.push(span.bytes);
        else if (!skips && writer !== undefined) {
          writer.add(span);
          await writer.flush();
        }
        offset += span.bytes.byteLength;
        atStart = span.ends;
        if (skips && span.ends) pieceStart = offset;
        if (writer !== undefined && span.ends && writer.file.bytes() >= pieceBytes)
          await endPiece();
      }
    }
    await endPiece();
    const batch = takeBatch();
    if (batch !== undefined) yield batch;
  } finally {
    writer?.file.close();
  }
}

/** Compares the file with the manifest, and finds the statements that may need all of the disk. */
async function compare(stage: DataStage, file: DumpFile, pieceBytes: number): Promise<Statements> {
  const { budget, batchBytes, threads } = stage;
  const finder = createStatementFinder(
    alwaysFits(budget.usableBytes, batchBytes, pieceBytes, threads),
  );
  for await (const chunk of verified(stage, file)) finder.saw(chunk);
  const statements = finder.end();
  const { foreign: fault } = statements;
  if (fault !== undefined)
    throw new Failure('restore', `${file.key}: ${fault.message}`, { cause: fault });
  return statements;
}

function requireRoom(
  { budget }: DataStage,
  { key }: DumpFile,
  statements: Statements,
  large: readonly LargeStatement[],
): void {
  const [first, ...rest] = large;
  if (first === undefined) return;
  const largest = rest.reduce((most, each) => (each.bytes > most.bytes ? each : most), first);
  const what = `${key}: a statement of ${largest.bytes} bytes, at byte ${largest.offset},`;
  budget.requireRoom(neededBytes(largest, statements), what);
}

/**
 * Whether the statement at that offset is in a loaded piece. The first piece begins with the
 * prologue, at 0.
 */
function isWithin(loaded: readonly Piece[], offset: number): boolean {
  return loaded.some(({ start, end }) => offset >= start && offset < end);
}

/** myloader takes what follows the table's name for the number of a part. */
export function pieceName(name: string, count: number): string {
  const stem = name.replace(/\.sql$/, '').replace(/(?:\.\d{5,}){1,2}$/, '');
  return `${stem}.${String(count).padStart(5, '0')}.sql`;
}
