import { type BigIntStats, closeSync, fstatSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isDumpFileName, isOurs, LOST_AND_FOUND, namesIn } from './directory.ts';
import { type FileId, idOf } from './process-files.ts';
import {
  allocatedBytesOf,
  isGone,
  MISSES_UNTIL_GONE,
  newlySeen,
  openSame,
  type Tracked,
} from './tracked-file.ts';

type Listing = {
  /** The files seen so far, by identity. */
  readonly files: ReadonlyMap<FileId, Tracked>;
  /**
   * Reads the directory and updates the files. `mydumperIsGone`: nobody renames any more.
   * @returns the allocated bytes of our own files.
   * @throws Error for a foreign file, and when a file with content vanished before it was shipped.
   */
  readonly list: (mydumperIsGone?: boolean) => number;
  readonly look: (name: string) => BigIntStats | undefined;
  readonly noteSize: (file: Tracked, stat: BigIntStats) => void;
  readonly forget: (file: Tracked) => void;
  /**
   * Forgets a file that is gone and that nobody has open: mydumper removes a file that stayed
   * empty.
   * @throws Error when it did not stay empty.
   */
  readonly forgetEmpty: (file: Tracked) => void;
  /** Starts the search for the largest growth again. */
  readonly resetGrowth: () => void;
  /** The file that grew most since the last reset. */
  readonly largestGrowth: () => { readonly name: string; readonly bytes: number };
};

/** The names and sizes in the staging directory. It follows each file through renames. */
export function createListing(directory: string): Listing {
  const files = new Map<FileId, Tracked>();
  const byName = new Map<string, Tracked>();
  let largestGrowth = { name: '', bytes: 0 };

  const look = (name: string) =>
    lstatSync(join(directory, name), { bigint: true, throwIfNoEntry: false });

  const noteSize = (file: Tracked, stat: BigIntStats) => {
    file.sizeBytes = Number(stat.size);
    file.allocatedBytes = allocatedBytesOf(stat);
    if (file.sizeBytes > 0) stopWatchingEmpty(file);
  };

  const stopWatchingEmpty = (file: Tracked) => {
    if (file.emptyDescriptor !== undefined) closeSync(file.emptyDescriptor);
    file.emptyDescriptor = undefined;
  };

  /** undefined for a new file that was renamed or removed at this moment. */
  const note = (name: string, stat: BigIntStats): Tracked | undefined => {
    const id = idOf(stat);
    const file = files.get(id) ?? newlySeen(id, name);
    if (stat.size === 0n && !files.has(id)) {
      file.emptyDescriptor = openSame(directory, file);
      if (file.emptyDescriptor === undefined) return undefined;
    }
    if (byName.get(file.name) === file) byName.delete(file.name);
    file.name = name;
    const growthBytes = Number(stat.size) - file.sizeBytes;
    if (growthBytes > largestGrowth.bytes) largestGrowth = { name, bytes: growthBytes };
    noteSize(file, stat);
    file.misses = 0;
    files.set(id, file);
    byName.set(name, file);
    return file;
  };

  const forget = (file: Tracked) => {
    stopWatchingEmpty(file);
    files.delete(file.id);
    if (byName.get(file.name) === file) byName.delete(file.name);
  };

  /** @throws Error when the file that is gone has content. */
  const requireEmpty = (file: Tracked) => {
    const { emptyDescriptor } = file;
    if (emptyDescriptor !== undefined) noteSize(file, fstatSync(emptyDescriptor, { bigint: true }));
    if (file.sizeBytes === 0) return;
    throw new Error(
      `${file.name} vanished from the staging directory ` +
        `with ${file.sizeBytes} bytes not yet shipped`,
    );
  };

  const list = (mydumperIsGone = false): number => {
    let oursBytes = 0;
    const seen = new Set<Tracked>();
    for (const name of namesIn(directory)) {
      const known = byName.get(name);
      if (known?.closed) {
        seen.add(known);
        continue;
      }
      const stat = look(name);
      if (stat === undefined) continue;
      if (stat.isFile() && isDumpFileName(name)) {
        const file = note(name, stat);
        if (file !== undefined) seen.add(file);
      } else if (isOurs(name) || name === LOST_AND_FOUND) oursBytes += allocatedBytesOf(stat);
      else if (stat.isFile())
        throw new Error(`${JSON.stringify(name)} in the staging directory is no file of a dump`);
      else
        throw new Error(`${JSON.stringify(name)} in the staging directory is not a regular file`);
    }
    for (const file of files.values()) {
      if (seen.has(file)) file.misses = 0;
      else file.misses += mydumperIsGone ? MISSES_UNTIL_GONE : 1;
      if (isGone(file)) requireEmpty(file);
    }
    return oursBytes;
  };

  return {
    files,
    list,
    look,
    noteSize,
    forget,
    forgetEmpty: (file) => {
      requireEmpty(file);
      forget(file);
    },
    resetGrowth: () => {
      largestGrowth = { name: '', bytes: 0 };
    },
    largestGrowth: () => largestGrowth,
  };
}
