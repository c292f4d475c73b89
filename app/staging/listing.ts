import { type BigIntStats, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { isDumpFileName, isOurs, LOST_AND_FOUND, namesIn } from './directory.ts';
import type { FileId } from './process-files.ts';
import { allocatedBytesOf, idOf, newlySeen, type Tracked } from './tracked-file.ts';

/**
 * The directory may list a file under neither name while it is renamed. The file counts as gone
 * when this many listings have missed it.
 */
const MISSES_UNTIL_GONE = 3;

type Listing = {
  /** The files seen so far, by identity. */
  readonly files: ReadonlyMap<FileId, Tracked>;
  /**
   * Reads the directory and updates the files.
   * @returns the allocated bytes of our own files.
   * @throws Error for a foreign file, and when a file with content vanished before it was shipped.
   */
  readonly list: () => number;
  readonly look: (name: string) => BigIntStats | undefined;
  readonly forget: (file: Tracked) => void;
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

  const note = (name: string, stat: BigIntStats): Tracked => {
    const id = idOf(stat);
    const file = files.get(id) ?? newlySeen(id, name);
    if (byName.get(file.name) === file) byName.delete(file.name);
    file.name = name;
    const growthBytes = Number(stat.size) - file.sizeBytes;
    if (growthBytes > largestGrowth.bytes) largestGrowth = { name, bytes: growthBytes };
    file.sizeBytes = Number(stat.size);
    file.allocatedBytes = allocatedBytesOf(stat);
    file.misses = 0;
    files.set(id, file);
    byName.set(name, file);
    return file;
  };

  const forget = (file: Tracked) => {
    files.delete(file.id);
    if (byName.get(file.name) === file) byName.delete(file.name);
  };

  const list = (): number => {
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
      if (stat.isFile() && isDumpFileName(name)) seen.add(note(name, stat));
      else if (isOurs(name) || name === LOST_AND_FOUND) oursBytes += allocatedBytesOf(stat);
      else if (stat.isFile())
        throw new Error(`${JSON.stringify(name)} in the staging directory is no file of a dump`);
      else
        throw new Error(`${JSON.stringify(name)} in the staging directory is not a regular file`);
    }
    for (const file of files.values()) {
      file.misses = seen.has(file) ? 0 : file.misses + 1;
      if (file.misses < MISSES_UNTIL_GONE) continue;
      if (file.sizeBytes > 0) {
        throw new Error(
          `${file.name} vanished from the staging directory ` +
            `with ${file.sizeBytes} bytes not yet shipped`,
        );
      }
      forget(file); // mydumper removes a file that stayed empty
    }
    return oursBytes;
  };

  return {
    files,
    list,
    look,
    forget,
    resetGrowth: () => {
      largestGrowth = { name: '', bytes: 0 };
    },
    largestGrowth: () => largestGrowth,
  };
}
