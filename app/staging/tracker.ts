import { type BigIntStats, closeSync, fstatSync, lstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { isDumpFileName, isOurs, LOST_AND_FOUND, namesIn } from './directory.ts';
import type { FileId } from './process-files.ts';
import { punchHole } from './punch-hole.ts';
import {
  asStaged,
  closed,
  idOf,
  newlySeen,
  openSame,
  type StagedFile,
  type Tracked,
} from './tracked-file.ts';

/** `st_blocks` counts units of 512 bytes whatever the file system's block size (stat(2)). */
const BLOCK_BYTES = 512;
/**
 * A file renamed while the directory is read may be listed under neither name: it counts as gone
 * when missed this often.
 */
const MISSES_UNTIL_GONE = 3;
/** Written to until the very end, even where it looks closed in between. */
const WRITTEN_LAST = /^metadata(?:\.|$)/;
/** A file that is being shipped while it grows is reported anew when it has grown by this much. */
const GROWTH_TOLD_BYTES = 512 * 1024;

/** A leased file has more to read, or has got its last byte. */
export type Growth = { readonly id: FileId; readonly sizeBytes: number; readonly closed: boolean };

export type Scan = {
  /** Disk in use, our own small files included. */
  readonly stagedBytes: number;
  /** Bytes mydumper has written since the start, in files shipped and not. */
  readonly dumpedBytes: number;
  /** Bytes that shipping will free: of closed files, and of growing ones that are large enough. */
  readonly shippableBytes: number;
  /** Bytes in files mydumper has closed and that are not released yet. */
  readonly closedBytes: number;
  /** Files found finished by this scan that nobody has leased. */
  readonly finished: readonly StagedFile[];
  /** Files that mydumper still writes and that are worth shipping from now on. */
  readonly growing: readonly StagedFile[];
  /** What has become of leased files. */
  readonly growth: readonly Growth[];
  /** The file that grew most since the last scan. */
  readonly largestGrowth: { readonly name: string; readonly bytes: number };
};

export type Lease = StagedFile & { readonly descriptor: number; readonly closed: boolean };

/**
 * From which allocated sizes on a file that is still written counts; undefined: not before it is
 * closed.
 */
export type GrowingLimits = {
  /** It is worth shipping. */
  readonly announceBytes: number;
  /** Shipping it would free disk. */
  readonly shippableBytes: number;
};

export type StagingTracker = {
  /**
   * Lists the directory, then asks which files mydumper has open: in this order a listed file that
   * is not open was closed. `openFiles` is asked with `surely` for those that are about to be
   * called finished: only then every process that could have them open must be looked at, and it
   * may answer `undefined` for not now. Without it (mydumper is gone) every file is finished.
   * `isStopped` tells that nobody writes: then the least growth is told too, since it may be what
   * fills a part.
   * @throws Error when a file with content vanished that nobody had shipped.
   */
  readonly scan: (
    openFiles: ((surely: boolean) => ReadonlySet<FileId> | undefined) | undefined,
    isStopped?: boolean,
  ) => Scan;
  /**
   * The file that holds most of what mydumper has not finished; `isNew` when nobody was told of it
   * before.
   */
  readonly largestGrowing: () => { readonly file: StagedFile; readonly isNew: boolean } | undefined;
  /** Opens a file under the name it has now. @throws Error when it is not there any more. */
  readonly lease: (id: FileId) => Lease;
  /** Frees the disk of a leased file's first bytes, which were shipped; the file keeps its size. */
  readonly free: (id: FileId, bytes: number) => void;
  /** Removes a file that was shipped and closes its descriptor, which frees its disk. */
  readonly release: (id: FileId) => void;
};

/**
 * What is in the staging directory, by identity and not by name: 0.10 renames the first file of a
 * table after closing it. One thread scans, opens and removes, so an inode number that is used
 * again is never taken for the file that had it before.
 */
export function createTracker(directory: string, limits?: GrowingLimits): StagingTracker {
  const files = new Map<FileId, Tracked>();
  const byName = new Map<string, Tracked>();
  let releasedBytes = 0;
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
    for (const name of namesIn(directory)) {
      const known = byName.get(name);
      if (known?.closed) {
        seen.add(known);
        continue;
      }
      const stat = look(name);
      if (stat === undefined) continue;
      if (stat.isFile() && isDumpFileName(name)) seen.add(note(name, stat));
      else if (isOurs(name) || name === LOST_AND_FOUND)
        oursBytes += Number(stat.blocks) * BLOCK_BYTES;
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
          `${file.name} vanished from the staging directory with ${file.sizeBytes} bytes not yet shipped`,
        );
      }
      forget(file); // mydumper removes a file that stayed empty
    }
    return oursBytes;
  };

  /**
   * The size seen while listing may be from before the last write: a file that is closed is looked
   * at once more.
   */
  const finish = (file: Tracked, mydumperIsGone: boolean): boolean => {
    const stat = look(file.name);
    if (stat === undefined || idOf(stat) !== file.id) return false; // renamed meanwhile; the next scan finds it
    file.sizeBytes = Number(stat.size);
    file.allocatedBytes = Number(stat.blocks) * BLOCK_BYTES;
    if (file.sizeBytes === 0 && !mydumperIsGone) return false; // it may still be removed
    file.closed = true;
    return true;
  };

  /** Growing files that nobody was told of and that are worth shipping. */
  const announce = (leastBytes: number): StagedFile[] => {
    const worth = [...files.values()].filter(
      (file) =>
        !file.closed && !file.announced && isShippable(file) && file.allocatedBytes >= leastBytes,
    );
    for (const file of worth) file.announced = true;
    return worth.map(asStaged);
  };

  const isShippable = (file: Tracked): boolean =>
    file.closed ||
    (limits !== undefined &&
      file.allocatedBytes >= limits.shippableBytes &&
      !WRITTEN_LAST.test(file.name));

  /** What changed for whom has leased files. */
  const tellGrowth = (leastBytes: number): Growth[] => {
    const growth: Growth[] = [];
    for (const file of files.values()) {
      const { id, sizeBytes, closed, told } = file;
      if (file.descriptor === undefined || told.closed) continue;
      if (!closed && sizeBytes - told.sizeBytes < leastBytes) continue;
      file.told = { sizeBytes, closed };
      growth.push({ id, sizeBytes, closed });
    }
    return growth;
  };

  return {
    scan: (openFiles, isStopped = false) => {
      largestGrowth = { name: '', bytes: 0 };
      const oursBytes = list();
      const candidates = [...files.values()].filter(
        (file) =>
          !file.closed &&
          file.misses === 0 &&
          (openFiles === undefined || !WRITTEN_LAST.test(file.name)),
      );
      const { sure, postponed } = closed(candidates, openFiles);
      const finished = sure.filter((file) => finish(file, openFiles === undefined));
      const growing = limits === undefined ? [] : announce(limits.announceBytes);

      let stagedBytes = oursBytes;
      let dumpedBytes = releasedBytes;
      let shippableBytes = 0;
      let closedBytes = postponed.reduce((sum, file) => sum + file.allocatedBytes, 0);
      const surelyClosed = new Set(postponed);
      for (const file of files.values()) {
        stagedBytes += file.allocatedBytes;
        dumpedBytes += file.sizeBytes;
        if (file.closed) closedBytes += file.allocatedBytes;
        if (isShippable(file) || surelyClosed.has(file)) shippableBytes += file.allocatedBytes;
      }
      return {
        stagedBytes,
        dumpedBytes,
        shippableBytes,
        closedBytes,
        finished: finished.filter((file) => !file.announced).map(asStaged),
        growing,
        growth: tellGrowth(isStopped ? 1 : GROWTH_TOLD_BYTES),
        largestGrowth,
      };
    },

    largestGrowing: () => {
      const [largest] = [...files.values()]
        .filter((file) => !file.closed && isShippable(file))
        .sort((left, right) => right.allocatedBytes - left.allocatedBytes);
      if (largest === undefined) return undefined;
      const isNew = !largest.announced;
      largest.announced = true;
      return { file: asStaged(largest), isNew };
    },

    lease: (id) => {
      const file = files.get(id);
      if (file === undefined) throw new Error(`no file ${id} in staging`);
      let descriptor = openSame(directory, file);
      if (descriptor === undefined) {
        list(); // it was renamed since
        descriptor = openSame(directory, file);
      }
      if (descriptor === undefined)
        throw new Error(`${file.name} is no longer in the staging directory`);
      file.descriptor = descriptor;
      file.told = { sizeBytes: file.sizeBytes, closed: file.closed };
      return { ...asStaged(file), descriptor, closed: file.closed };
    },

    free: (id, bytes) => {
      const file = files.get(id);
      if (file?.descriptor === undefined) throw new Error(`file ${id} is not being shipped`);
      if (bytes <= file.freedBytes) return;
      punchHole(file.descriptor, file.freedBytes, bytes - file.freedBytes);
      file.freedBytes = bytes;
      file.allocatedBytes =
        Number(fstatSync(file.descriptor, { bigint: true }).blocks) * BLOCK_BYTES;
    },

    release: (id) => {
      const file = files.get(id);
      if (file?.descriptor === undefined || !file.closed)
        throw new Error(`file ${id} is not being shipped`);
      const here = look(file.name);
      if (here === undefined || idOf(here) !== id) list();
      const stat = look(file.name);
      if (stat === undefined || idOf(stat) !== id) {
        throw new Error(`${file.name} is no longer in the staging directory`);
      }
      unlinkSync(join(directory, file.name));
      closeSync(file.descriptor);
      releasedBytes += file.sizeBytes;
      forget(file);
    },
  };
}
