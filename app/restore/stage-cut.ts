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
 * A file that is larger than a batch, or of which a part is loaded, as batches of pieces cut at statements. Its content can only be
 * judged when its last byte was read, so it is read twice: once to be compared, then to be loaded.
 */
export async function* stageCut(
  stage: DataStage,
  file: DumpFile,
): AsyncGenerator<{ batch: StagedBatch; takenBytes: number }> {
  for await (const _chunk of verified(stage, file)) void _chunk;

  const pieceBytes = Math.max(LEAST_PIECE_BYTES, stage.batchBytes / stage.threads);
  const loaded = [...stage.loadedOf(file)];
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
    open !== undefined && (open.pieces.length >= stage.threads || open.takenBytes >= stage.batchBytes);

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
          if (isFull()) {
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
        if (writer !== undefined && span.ends && writer.file.bytes() >= pieceBytes) await endPiece();
      }
    }
    await endPiece();
    const batch = takeBatch();
    if (batch !== undefined) yield batch;
  } finally {
    writer?.file.close();
  }
}

/** Whether the statement at that offset is in a loaded piece. The first piece begins with the prologue, at 0. */
function isWithin(loaded: readonly Piece[], offset: number): boolean {
  return loaded.some(({ start, end }) => offset >= start && offset < end);
}

/** myloader takes what follows the table's name for the number of a part. */
export function pieceName(name: string, count: number): string {
  const stem = name.replace(/\.sql$/, '').replace(/(?:\.\d{5,}){1,2}$/, '');
  return `${stem}.${String(count).padStart(5, '0')}.sql`;
}
