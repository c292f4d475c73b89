import { type BigIntStats, closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type FileId, idOf } from './process-files.ts';

export type StagedFile = {
  readonly id: FileId;
  readonly name: string;
  readonly sizeBytes: number;
};

/** What is known of a file in staging. */
export type Tracked = {
  readonly id: FileId;
  name: string;
  sizeBytes: number;
  allocatedBytes: number;
  closed: boolean;
  announced: boolean;
  /** Of a file that is being shipped. */
  descriptor: number | undefined;
  /** Of a file that is still empty. It shows what mydumper writes after the name was removed. */
  emptyDescriptor: number | undefined;
  /** The state in the last report to the file's reader. */
  reported: { sizeBytes: number; closed: boolean };
  freedBytes: number;
  misses: number;
};

/**
 * The directory may list a file under neither name while it is renamed. The file counts as gone
 * when this many listings have missed it.
 */
export const MISSES_UNTIL_GONE = 3;

export function isGone({ misses }: Tracked): boolean {
  return misses >= MISSES_UNTIL_GONE;
}

export function newlySeen(id: FileId, name: string): Tracked {
  return {
    id,
    name,
    sizeBytes: 0,
    allocatedBytes: 0,
    closed: false,
    announced: false,
    descriptor: undefined,
    emptyDescriptor: undefined,
    reported: { sizeBytes: 0, closed: false },
    freedBytes: 0,
    misses: 0,
  };
}

export function asStaged({ id, name, sizeBytes }: Tracked): StagedFile {
  return { id, name, sizeBytes };
}

/** Splits off the files that no process has open (`sure`), and those not known yet. */
export function closed(
  candidates: readonly Tracked[],
  openFiles: ((surely: boolean) => ReadonlySet<FileId> | undefined) | undefined,
): { sure: readonly Tracked[]; postponed: readonly Tracked[] } {
  let left = candidates;
  for (const surely of [false, true]) {
    if (openFiles === undefined || left.length === 0) break;
    const open = openFiles(surely);
    if (open === undefined) return { sure: [], postponed: left };
    left = left.filter((file) => !open.has(file.id));
  }
  return { sure: left, postponed: [] };
}

/** `st_blocks` counts units of 512 bytes for any block size of the file system (stat(2)). */
const BLOCK_BYTES = 512;

export function allocatedBytesOf(stat: BigIntStats): number {
  return Number(stat.blocks) * BLOCK_BYTES;
}

/**
 * Opens the file under its name if it still has the same identity; never follows a link. It opens
 * for writing, since freeing disk needs that.
 */
export function openSame(
  directory: string,
  file: { readonly id: FileId; readonly name: string },
): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, file.name), constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (idOf(fstatSync(descriptor, { bigint: true })) === file.id) return descriptor;
  closeSync(descriptor);
  return undefined;
}
