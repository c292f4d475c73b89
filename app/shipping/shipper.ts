import type { Compression } from '../config.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Watch } from '../governor/watch.ts';
import {
  createProgramReader,
  type DumpedProgram,
  mayHoldPrograms,
} from '../mydumper/dumped-programs.ts';
import { allocateShared, createReusedBuffers, type ReusedBuffers } from '../reused-buffers.ts';
import type { FileId } from '../staging/process-files.ts';
import type { StagedFile } from '../staging/tracked-file.ts';
import type { Growth } from '../staging/tracker.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { CONTENT_TYPES, EXTENSIONS, openContent } from './content.ts';
import { type Hasher, hashHere, readingToo } from './hasher.ts';
import type { PrologueOf } from './prologue.ts';
import { createTail, type Tail } from './tail.ts';

/**
 * Hashing a whole file of this size takes a tenth of a millisecond. A thread would cost more for
 * very many such files.
 */
const HASHED_HERE_BYTES = 64 * 1024;

/** A file of the dump that S3 holds, acknowledged with a matching checksum. */
export type ShippedFile = {
  /** mydumper's name for it. */
  readonly name: string;
  readonly key: string;
  /** What mydumper wrote. */
  readonly stagedBytes: number;
  /**
   * The bytes stored, before compression: the same, or a few more if the file needed a prologue.
   */
  readonly dumpedBytes: number;
  readonly storedBytes: number;
  /** Hex, of the dumped content. */
  readonly sha256: string;
  /** Of the dumped content. Valid only for SQL files. */
  readonly largestStatementBytes: number;
  /** The routines, triggers and events that it creates. */
  readonly programs: readonly DumpedProgram[];
  /** Base64, of the stored object. */
  readonly crc32: string;
};

export type ShipperOptions = {
  readonly store: ObjectStore;
  readonly watch: Pick<Watch, 'lease' | 'free' | 'release'>;
  /** Key of the backup's folder, ending in a slash. */
  readonly folder: string;
  readonly compression: Compression;
  readonly prologueOf: PrologueOf;
  readonly hasher: Pick<Hasher, 'open'>;
  /** Of the parts of large files. */
  readonly partBytes: number;
  /** Finished files under way at once. */
  readonly concurrency: number;
  /**
   * Further files under way, begun while they grew. At least as many as mydumper writes at once:
   * otherwise files that wait for growth would block a finished one.
   */
  readonly growingConcurrency: number;
  readonly onShipped: (file: ShippedFile) => void;
  /** Called once, with the first cause. */
  readonly onFailed: (failure: Failure) => void;
};

export type Shipper = {
  /** Takes finished files. */
  readonly add: (files: readonly StagedFile[]) => void;
  /**
   * Takes files that mydumper still writes. They are shipped beside the finished ones, and queue
   * when there are too many.
   */
  readonly addGrowing: (files: readonly StagedFile[]) => void;
  readonly grown: (growth: readonly Growth[]) => void;
  /** Brings what was read of a growing file to S3 though it fills no part. */
  readonly press: (id: FileId) => void;
  /** No new file is begun; those under way go on. */
  readonly stop: () => void;
  /** Resolves when nothing is waiting or under way, also after a failure. */
  readonly idle: () => Promise<void>;
  readonly shipped: () => readonly ShippedFile[];
};

/** Files that are begun in turn, so many at once. */
type Lane = {
  readonly closed: boolean;
  readonly concurrency: number;
  readonly waiting: StagedFile[];
  underWay: number;
};

function laneOf(closed: boolean, concurrency: number): Lane {
  return { closed, concurrency, waiting: [], underWay: 0 };
}

/**
 * Ships finished files, the oldest first, several at a time, and growing ones beside them. A file
 * is released from staging only after S3 has acknowledged all of it. The first bytes of a growing
 * or large file are freed only after S3 has acknowledged them.
 */
export function createShipper(options: ShipperOptions): Shipper {
  const finished = laneOf(true, options.concurrency);
  /** Those that wait may have been finished since. */
  const growing = laneOf(false, options.growingConcurrency);
  const lanes = [finished, growing];
  const shipped: ShippedFile[] = [];
  const tails = new Map<FileId, Tail>();
  const names = new Set<string>();
  const buffers = createReusedBuffers(allocateShared);
  let stopped = false;
  /** While something is waiting or under way. */
  let busy: PromiseWithResolvers<void> | undefined;

  const fail = (error: unknown) => {
    const wasStopped = stopped;
    stop();
    if (wasStopped) return;
    options.onFailed(
      error instanceof Failure
        ? error
        : new Failure('upload', `shipping failed: ${messageOf(error)}`, { cause: error }),
    );
  };

  const begin = (file: StagedFile, closed: boolean): Promise<void> => {
    const tail = createTail(file.sizeBytes, closed);
    tails.set(file.id, tail);
    return shipFile(options, names, buffers, file.id, tail)
      .then((done) => {
        shipped.push(done);
        options.onShipped(done);
      })
      .catch(fail)
      .finally(() => tails.delete(file.id));
  };

  const fill = () => {
    for (const lane of lanes) {
      while (!stopped && lane.underWay < lane.concurrency) {
        const next = lane.waiting.shift();
        if (next === undefined) break;
        lane.underWay += 1;
        begin(next, lane.closed).finally(() => {
          lane.underWay -= 1;
          fill();
        });
      }
    }
    if (lanes.some(({ waiting, underWay }) => underWay > 0 || (waiting.length > 0 && !stopped))) {
      busy ??= Promise.withResolvers<void>();
      return;
    }
    busy?.resolve();
    busy = undefined;
  };

  const stop = () => {
    stopped = true;
    for (const tail of tails.values()) tail.cut(new Error('shipping was stopped'));
    fill();
  };

  return {
    add: (files) => {
      finished.waiting.push(...files);
      fill();
    },
    addGrowing: (files) => {
      growing.waiting.push(...files);
      fill();
    },
    grown: (growth) => {
      for (const { id, sizeBytes, closed } of growth) tails.get(id)?.update(sizeBytes, closed);
    },
    press: (id) => tails.get(id)?.press(),
    stop,
    idle: () => busy?.promise ?? Promise.resolve(),
    shipped: () => shipped,
  };
}

async function shipFile(
  { store, watch, folder, compression, prologueOf, hasher, partBytes }: ShipperOptions,
  names: Set<string>,
  buffers: ReusedBuffers,
  id: FileId,
  tail: Tail,
): Promise<ShippedFile> {
  const lease = await watch.lease(id);
  if (names.has(lease.name)) {
    throw new Failure(
      'dump',
      `mydumper wrote two files named ${JSON.stringify(lease.name)}; one would replace the other`,
    );
  }
  names.add(lease.name);
  tail.update(lease.sizeBytes, lease.closed);
  const isSmall = lease.closed && lease.sizeBytes <= HASHED_HERE_BYTES;
  const programs = mayHoldPrograms(lease.name) ? createProgramReader() : undefined;
  const hash = readingToo(isSmall ? hashHere() : hasher.open(), programs?.add);
  const content = openContent(
    lease,
    tail,
    compression,
    prologueOf(lease),
    partBytes,
    buffers,
    hash,
  );
  const key = `${folder}${lease.name}${EXTENSIONS[compression]}`;
  let freedBytes = 0;
  const onAcknowledged = (storedBytes: number) => {
    const freeBytes = content.fileBytesIn(storedBytes);
    const { sizeBytes, closed } = tail.now();
    // The release below frees the last bytes of a closed file.
    if (freeBytes <= freedBytes || (closed && freeBytes === sizeBytes)) return;
    freedBytes = freeBytes;
    watch.free(id, freeBytes);
  };
  const stored = await store.upload(key, content.body, CONTENT_TYPES[compression], {
    partBytes,
    onAcknowledged,
    onTaken: buffers.giveBack,
    // Without compression what is stored is what the manifest has the hash of.
    ...(compression === 'none' && { sha256: content.sha256 }),
  });
  const { bytes, fileBytes } = content.summary();
  const sha256 = await content.sha256();
  const largestStatementBytes = await content.largestStatementBytes();
  await watch.release(id);
  return {
    name: lease.name,
    key,
    stagedBytes: fileBytes,
    dumpedBytes: bytes,
    storedBytes: stored.bytes,
    sha256,
    largestStatementBytes,
    programs: programs?.programs() ?? [],
    crc32: stored.crc32,
  };
}
