import { linkSync, mkdirSync, readdirSync, rmdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Compression } from '../config.ts';
import { Failure } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { ContentFault, readContent } from '../manifest/content.ts';
import type { ManifestFile } from '../manifest/schema.ts';
import { BATCH_PREFIX } from '../staging/directory.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { type Batch, stagedBytes } from './batches.ts';
import type { DiskBudget } from './disk-budget.ts';
import { guard } from './guard.ts';
import type { Piece } from './pieces.ts';
import type { DumpFile } from './selection.ts';
import { createStagedFile, type StagedFile } from './staged-file.ts';
import { createStatementScanner, ForeignStatement, type Span } from './statements.ts';

/** A directory that myloader is to load. */
export type StagedBatch = {
  readonly directory: string;
  /** Of data; none for schemas and the like. */
  readonly pieces: readonly StagedPiece[];
};
export type StagedPiece = { readonly piece: Piece; readonly fileName: string };

export type Stage = {
  readonly store: BackupStore;
  readonly compression: Compression;
  /** The staging directory. */
  readonly directory: string;
  /** Of the dump's `metadata`, which each run of myloader wants to see. */
  readonly metadataPath: string;
  readonly budget: DiskBudget;
  readonly concurrency: number;
  /** Receives the number of bytes of the dump as they arrive. */
  readonly onFetched: (bytes: number) => void;
};

/** How data is put so that it can be loaded as wholes. */
export type DataStage = Stage & {
  /** The loader runs a file's statements on one connection, in one transaction. */
  readonly guarded: boolean;
  /** Of a loader, at most. */
  readonly threads: number;
  readonly batchBytes: number;
  readonly wantedBytes: number;
  readonly nextId: () => number;
  /** A transaction that does not end leaves nothing of this file. */
  readonly isTransactional: (file: DumpFile) => boolean;
  readonly loadedOf: (file: DumpFile) => readonly Piece[];
};

let batches = 0;

export function openBatch({
  directory,
  metadataPath,
}: Pick<Stage, 'directory' | 'metadataPath'>): string {
  batches += 1;
  const path = join(directory, `${BATCH_PREFIX}${batches}`);
  mkdirSync(path, { mode: 0o700 });
  linkSync(metadataPath, join(path, 'metadata'));
  return path;
}

/** Removes a batch and gives its disk back. */
export function removeBatch(directory: string): void {
  for (const name of readdirSync(directory)) unlinkSync(join(directory, name));
  rmdirSync(directory);
}

/**
 * Changes the content of a file without making it longer. The content comes byte by byte as
 * characters (`latin1`).
 */
export type Rewrite = (text: string, file: ManifestFile) => string;

/**
 * Fetches files into a batch of their own, unchanged or rewritten: schemas, views and the like.
 * @returns the disk taken.
 */
export async function stagePlain(
  stage: Stage,
  directory: string,
  files: readonly ManifestFile[],
  rewrite?: Rewrite,
): Promise<number> {
  let taken = 0;
  await forEach(files, stage.concurrency, async (file) => {
    await stage.budget.take(stagedBytes(file.dumpedBytes), file.name);
    const staged = createStagedFile(
      directory,
      file.name,
      stage.budget,
      stagedBytes(file.dumpedBytes),
    );
    try {
      if (rewrite === undefined)
        for await (const piece of verified(stage, file)) await staged.write([piece]);
      else await staged.write([await rewritten(stage, file, rewrite)]);
    } finally {
      staged.close();
      taken += staged.takenBytes();
    }
  });
  return taken;
}

async function rewritten(stage: Stage, file: ManifestFile, rewrite: Rewrite): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of verified(stage, file)) pieces.push(piece);
  return Buffer.from(rewrite(Buffer.concat(pieces).toString('latin1'), file), 'latin1');
}

/**
 * Fetches the files of a batch, each as one piece. No file of it may be loaded before this call has
 * returned.
 */
export async function stageWhole(
  stage: DataStage,
  { files, bytes }: Extract<Batch<DumpFile>, { kind: 'whole' }>,
): Promise<{ batch: StagedBatch; takenBytes: number }> {
  await stage.budget.take(bytes, 'a batch of files');
  const directory = openBatch(stage);
  const pieces: StagedPiece[] = [];
  let takenBytes = 0;
  await forEach(files, stage.concurrency, async (file) => {
    const writer = beginPiece(stage, file, directory, file.name, 0, stagedBytes(file.dumpedBytes));
    try {
      const scanner = createStatementScanner();
      for await (const chunk of verified(stage, file)) {
        stage.onFetched(chunk.byteLength);
        for (const span of foreign(file, () => scanner.scan(chunk))) writer.add(span);
        await writer.flush();
      }
      for (const span of foreign(file, () => scanner.end())) writer.add(span);
      pieces.push({ piece: await writer.end(file.dumpedBytes), fileName: file.name });
    } finally {
      writer.file.close();
      takenBytes += writer.file.takenBytes();
    }
  });
  return { batch: { directory, pieces }, takenBytes };
}

/** Its content as `readContent` gives it, faults told with the key. */
export async function* verified(
  stage: Pick<Stage, 'store' | 'compression'>,
  file: ManifestFile,
): AsyncGenerator<Buffer> {
  try {
    yield* readContent(stage.store, file, stage.compression);
  } catch (error) {
    if (error instanceof ContentFault)
      throw new Failure('restore', `${file.key}: ${error.message}`, { cause: error });
    throw error;
  }
}

export function foreign(file: ManifestFile, scan: () => Span[]): Span[] {
  try {
    return scan();
  } catch (error) {
    if (error instanceof ForeignStatement)
      throw new Failure('restore', `${file.key}: ${error.message}`, { cause: error });
    throw error;
  }
}

const AFTER_INSERT = Buffer.from(guard.afterInsert);

export type PieceWriter = {
  readonly file: StagedFile;
  /** Takes a span; it is in the file after the next `flush`, or `end`. */
  readonly add: (span: Span) => void;
  readonly flush: () => Promise<void>;
  /** `end` is the offset in the dump's file. */
  readonly end: (end: number) => Promise<Piece>;
};

/** Writes a piece, with the statements that record whether it is loaded. */
export function beginPiece(
  stage: DataStage,
  file: DumpFile,
  directory: string,
  fileName: string,
  start: number,
  takenBytes = 0,
  prologue: readonly Buffer[] = [],
): PieceWriter {
  const id = stage.nextId();
  const staged = createStagedFile(directory, fileName, stage.budget, takenBytes);
  const pending: Buffer[] = [...(stage.guarded ? [Buffer.from(guard.begin(id))] : []), ...prologue];
  let rows = 0;
  let inserts = 0;
  const flush = async () => {
    await staged.write(pending.splice(0));
  };
  return {
    file: staged,
    flush,
    add: (span) => {
      rows += span.rows;
      pending.push(span.bytes);
      if (span.ends && span.inserts) {
        inserts += 1;
        if (stage.guarded) pending.push(AFTER_INSERT);
      }
    },
    end: async (end) => {
      if (stage.guarded) pending.push(Buffer.from(guard.end(id, inserts)));
      await flush();
      staged.close();
      const begun = !stage.guarded || !stage.isTransactional(file);
      return { id, file: file.name, start, end, rows, begun, loaded: false };
    },
  };
}
