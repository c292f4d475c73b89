import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { isOurs } from './directory.ts';
import type { FileId } from './process-files.ts';

/** `st_blocks` counts units of 512 bytes whatever the file system's block size (stat(2)). */
const BLOCK_BYTES = 512;
/** A file renamed while the directory is read may be listed under neither name: it counts as gone when missed this often. */
const MISSES_UNTIL_GONE = 3;
/** Written to until the very end, even where it looks closed in between. */
const WRITTEN_LAST = /^metadata(?:\.|$)/;

export type StagedFile = {
  readonly id: FileId;
  readonly name: string;
  readonly sizeBytes: number;
};

export type Scan = {
  /** Disk in use, our own small files included. */
  readonly stagedBytes: number;
  /** Bytes mydumper has written since the start, in files shipped and not. */
  readonly dumpedBytes: number;
  /** Bytes of files mydumper has closed and that are not released yet: what shipping will free. */
  readonly shippableBytes: number;
  /** Files found finished by this scan. */
  readonly finished: readonly StagedFile[];
};

export type Lease = StagedFile & { readonly descriptor: number };

export type StagingTracker = {
  /**
   * Lists the directory, then asks which files mydumper has open: in this order a listed file that is not open was closed.
   * `openFiles` is asked with `surely` for those that are about to be called finished: only then every process that could
   * have them open must be looked at, and it may answer `undefined` for not now. Without it (mydumper is gone) every file is finished.
   * @throws Error when a file with content vanished that nobody had shipped.
   */
  readonly scan: (openFiles: ((surely: boolean) => ReadonlySet<FileId> | undefined) | undefined) => Scan;
  /** Opens a finished file for reading under the name it has now. @throws Error when it is not there any more. */
  readonly lease: (id: FileId) => Lease;
  /** Removes a file that was shipped and closes its descriptor, which frees its disk. */
  readonly release: (id: FileId) => void;
};

type Tracked = {
  readonly id: FileId;
  name: string;
  sizeBytes: number;
  allocatedBytes: number;
  state: 'growing' | 'finished' | 'leased';
  descriptor: number | undefined;
  misses: number;
};

/**
 * What is in the staging directory, by identity and not by name: 0.10 renames the first file of a table after closing it.
 * One thread scans, opens and removes, so an inode number that is used again is never taken for the file that had it before.
 */
export function createTracker(directory: string): StagingTracker {
  const files = new Map<FileId, Tracked>();
  const byName = new Map<string, Tracked>();
  let releasedBytes = 0;

  const look = (name: string) => lstatSync(join(directory, name), { bigint: true, throwIfNoEntry: false });

  const note = (name: string, stat: BigIntStats): Tracked => {
    const id = idOf(stat);
    const file = files.get(id) ?? {
      id,
      name,
      sizeBytes: 0,
      allocatedBytes: 0,
      state: 'growing' as const,
      descriptor: undefined,
      misses: 0,
    };
    if (byName.get(file.name) === file) byName.delete(file.name);
    file.name = name;
    file.sizeBytes = Number(stat.size);
    file.allocatedBytes = Number(stat.blocks) * BLOCK_BYTES;
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
    for (const name of readdirSync(directory)) {
      const known = byName.get(name);
      if (known !== undefined && known.state !== 'growing') {
        seen.add(known);
        continue;
      }
      const stat = look(name);
      if (stat === undefined) continue;
      if (stat.isFile() && !isOurs(name)) seen.add(note(name, stat));
      else oursBytes += Number(stat.blocks) * BLOCK_BYTES;
    }
    for (const file of files.values()) {
      file.misses = seen.has(file) ? 0 : file.misses + 1;
      if (file.misses < MISSES_UNTIL_GONE) continue;
      if (file.sizeBytes > 0) {
        throw new Error(
          `${file.name} vanished from the staging directory with ${file.sizeBytes} bytes not yet shipped`,
        );
      }
      forget(file); // mydumper removes a file that stayed empty
    }
    return oursBytes;
  };

  /** The size seen while listing may be from before the last write: a file that is closed is looked at once more. */
  const finish = (file: Tracked, mydumperIsGone: boolean): boolean => {
    const stat = look(file.name);
    if (stat === undefined || idOf(stat) !== file.id) return false; // renamed meanwhile; the next scan finds it
    file.sizeBytes = Number(stat.size);
    file.allocatedBytes = Number(stat.blocks) * BLOCK_BYTES;
    if (file.sizeBytes === 0 && !mydumperIsGone) return false; // it may still be removed
    file.state = 'finished';
    return true;
  };

  return {
    scan: (openFiles) => {
      const oursBytes = list();
      const growing = [...files.values()].filter((file) => file.state === 'growing' && file.misses === 0);
      const candidates = growing.filter((file) => openFiles === undefined || !WRITTEN_LAST.test(file.name));
      const { sure, postponed } = closed(candidates, openFiles);
      const finished = sure.filter((file) => finish(file, openFiles === undefined));

      let stagedBytes = oursBytes;
      let dumpedBytes = releasedBytes;
      let shippableBytes = postponed.reduce((sum, file) => sum + file.allocatedBytes, 0);
      for (const file of files.values()) {
        stagedBytes += file.allocatedBytes;
        dumpedBytes += file.sizeBytes;
        if (file.state !== 'growing') shippableBytes += file.allocatedBytes;
      }
      return {
        stagedBytes,
        dumpedBytes,
        shippableBytes,
        finished: finished.map(({ id, name, sizeBytes }) => ({ id, name, sizeBytes })),
      };
    },

    lease: (id) => {
      const file = files.get(id);
      if (file === undefined || file.state === 'growing')
        throw new Error(`no finished file ${id} in staging`);
      let descriptor = openSame(directory, file);
      if (descriptor === undefined) {
        list(); // it was renamed since
        descriptor = openSame(directory, file);
      }
      if (descriptor === undefined) throw new Error(`${file.name} is no longer in the staging directory`);
      file.state = 'leased';
      file.descriptor = descriptor;
      return { id, name: file.name, sizeBytes: file.sizeBytes, descriptor };
    },

    release: (id) => {
      const file = files.get(id);
      if (file?.state !== 'leased') throw new Error(`file ${id} is not being shipped`);
      const here = look(file.name);
      if (here === undefined || idOf(here) !== id) list();
      const stat = look(file.name);
      if (stat === undefined || idOf(stat) !== id) {
        throw new Error(`${file.name} is no longer in the staging directory`);
      }
      unlinkSync(join(directory, file.name));
      if (file.descriptor !== undefined) closeSync(file.descriptor);
      releasedBytes += file.sizeBytes;
      forget(file);
    },
  };
}

/** Which of the files nobody has open, and which of them cannot be told from that yet. */
function closed(
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

function idOf(stat: BigIntStats): FileId {
  return `${stat.dev}:${stat.ino}`;
}

/** Opens the file under its name if that is still it; never follows a link. */
function openSame(
  directory: string,
  file: { readonly id: FileId; readonly name: string },
): number | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(join(directory, file.name), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  if (idOf(fstatSync(descriptor, { bigint: true })) === file.id) return descriptor;
  closeSync(descriptor);
  return undefined;
}
