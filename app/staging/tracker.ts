import { closeSync, fstatSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createListing } from './listing.ts';
import { type FileId, idOf } from './process-files.ts';
import { punchHole } from './punch-hole.ts';
import {
  allocatedBytesOf,
  asStaged,
  closed,
  isGone,
  openSame,
  type StagedFile,
  type Tracked,
} from './tracked-file.ts';

/** mydumper writes to it until the very end, even where it looks closed in between. */
const WRITTEN_LAST = /^metadata(?:\.|$)/;
/** A leased growing file is reported again when it has grown by this much. */
const GROWTH_REPORT_BYTES = 512 * 1024;

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
  /** Files that this scan found finished, except those announced before. */
  readonly finished: readonly StagedFile[];
  /** Files that mydumper still writes and that are worth shipping from now on. */
  readonly growing: readonly StagedFile[];
  /** Changes of leased files. */
  readonly growth: readonly Growth[];
  /** The file that grew most since the last scan. */
  readonly largestGrowth: { readonly name: string; readonly bytes: number };
};

export type Lease = StagedFile & { readonly descriptor: number; readonly closed: boolean };

/**
 * The allocated sizes from which a file counts while mydumper still writes it. Undefined: a file
 * counts only after its close.
 */
export type GrowingLimits = {
  /** It is worth shipping. */
  readonly announceBytes: number;
  /** Shipping it would free disk. */
  readonly shippableBytes: number;
};

export type StagingTracker = {
  /**
   * Lists the directory, then asks which files mydumper has open. In this order, a listed file that
   * is not open was closed.
   *
   * Before a file counts as finished, `openFiles` runs again with `surely`. Only then must it look
   * at every process that could have the file open, and it may answer `undefined` for "not now".
   * Without `openFiles` (mydumper is gone) every file is finished. `isStopped`: no process writes.
   * Then the scan reports even the smallest growth, since it may fill a part.
   * @throws Error when a file with content vanished before it was shipped.
   */
  readonly scan: (
    openFiles: ((surely: boolean) => ReadonlySet<FileId> | undefined) | undefined,
    isStopped?: boolean,
  ) => Scan;
  /** The file that holds most of the unfinished bytes. `isNew`: no scan has announced it before. */
  readonly largestGrowing: () => { readonly file: StagedFile; readonly isNew: boolean } | undefined;
  /** Opens a file under the name it has now. @throws Error when it is not there any more. */
  readonly lease: (id: FileId) => Lease;
  /** Frees the disk of a leased file's first bytes, which were shipped; the file keeps its size. */
  readonly free: (id: FileId, bytes: number) => void;
  /** Removes a file that was shipped and closes its descriptor, which frees its disk. */
  readonly release: (id: FileId) => void;
};

/**
 * The files in the staging directory, by identity and not by name: 0.10 renames the first file of a
 * table after closing it. One thread scans, opens and removes. A reused inode number therefore
 * never stands for the file that had it before.
 */
export function createTracker(directory: string, limits?: GrowingLimits): StagingTracker {
  const listing = createListing(directory);
  const { files, look, list, noteSize } = listing;
  let releasedBytes = 0;

  /**
   * Completes a closed file. The listed size may be from before the last write, so the file is
   * looked at once more.
   */
  const finish = (file: Tracked, mydumperIsGone: boolean): boolean => {
    if (isGone(file)) {
      listing.forgetEmpty(file);
      return false;
    }
    const stat = look(file.name);
    // mydumper has renamed it meanwhile; the next scan finds it.
    if (stat === undefined || idOf(stat) !== file.id) return false;
    noteSize(file, stat);
    if (file.sizeBytes === 0 && !mydumperIsGone) return false; // it may still be removed
    file.closed = true;
    return true;
  };

  /** Growing files that are worth shipping and were not announced yet. */
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

  /** The changes of leased files since their last report. */
  const reportGrowth = (leastBytes: number): Growth[] => {
    const growth: Growth[] = [];
    for (const file of files.values()) {
      const { id, sizeBytes, closed, reported } = file;
      if (file.descriptor === undefined || reported.closed) continue;
      if (!closed && sizeBytes - reported.sizeBytes < leastBytes) continue;
      file.reported = { sizeBytes, closed };
      growth.push({ id, sizeBytes, closed });
    }
    return growth;
  };

  return {
    scan: (openFiles, isStopped = false) => {
      listing.resetGrowth();
      const oursBytes = list(openFiles === undefined);
      const candidates = [...files.values()].filter(
        (file) =>
          !file.closed &&
          (file.misses === 0 || isGone(file)) &&
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
        growth: reportGrowth(isStopped ? 1 : GROWTH_REPORT_BYTES),
        largestGrowth: listing.largestGrowth(),
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
      file.reported = { sizeBytes: file.sizeBytes, closed: file.closed };
      return { ...asStaged(file), descriptor, closed: file.closed };
    },

    free: (id, bytes) => {
      const file = files.get(id);
      if (file?.descriptor === undefined) throw new Error(`file ${id} is not being shipped`);
      if (bytes <= file.freedBytes) return;
      punchHole(file.descriptor, file.freedBytes, bytes - file.freedBytes);
      file.freedBytes = bytes;
      file.allocatedBytes = allocatedBytesOf(fstatSync(file.descriptor, { bigint: true }));
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
      listing.forget(file);
    },
  };
}
