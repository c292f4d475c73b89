import { closeSync, openSync, writev } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DiskBudget } from './disk-budget.ts';

const writeTo = promisify(writev) as (
  descriptor: number,
  pieces: readonly Uint8Array[],
) => Promise<{ bytesWritten: number }>;
/** Disk is taken in steps, so that not every line asks for it. */
export const STEP_BYTES = 64 * 1024;

/** Disk that is taken for a file that grows to so many bytes. */
export function takenFor(bytes: number): number {
  return Math.ceil(bytes / STEP_BYTES) * STEP_BYTES;
}

/** A file being written in a batch directory, its disk taken from the budget as it grows. */
export type StagedFile = {
  readonly name: string;
  readonly path: string;
  readonly bytes: () => number;
  /** Disk taken for it. */
  readonly takenBytes: () => number;
  readonly write: (pieces: readonly Buffer[]) => Promise<void>;
  readonly close: () => void;
};

/** `takenBytes` were taken for it beforehand. Never follows a link nor writes over a file. */
export function createStagedFile(
  directory: string,
  name: string,
  budget: DiskBudget,
  takenBytes = 0,
): StagedFile {
  const path = join(directory, name);
  const descriptor = openSync(path, 'wx', 0o600);
  let taken = takenBytes;
  let bytes = 0;
  let open = true;
  return {
    name,
    path,
    bytes: () => bytes,
    takenBytes: () => taken,
    write: async (pieces) => {
      const length = pieces.reduce((sum, { byteLength }) => sum + byteLength, 0);
      while (bytes + length > taken) {
        await budget.take(STEP_BYTES, `a statement of ${name}`);
        taken += STEP_BYTES;
      }
      await writeAll(descriptor, pieces);
      bytes += length;
    },
    close: () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}

async function writeAll(descriptor: number, pieces: readonly Buffer[]): Promise<void> {
  let left = pieces.filter(({ byteLength }) => byteLength > 0);
  while (left.length > 0) {
    let { bytesWritten } = await writeTo(descriptor, left);
    left = left.flatMap((piece) => {
      const gone = Math.min(bytesWritten, piece.byteLength);
      bytesWritten -= gone;
      return gone === piece.byteLength ? [] : [piece.subarray(gone)];
    });
  }
}
