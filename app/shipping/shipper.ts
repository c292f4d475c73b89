import type { Compression } from '../config.ts';
import { Failure, messageOf } from '../errors.ts';
import type { Watch } from '../governor/watch.ts';
import type { FileId } from '../staging/process-files.ts';
import type { StagedFile } from '../staging/tracker.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { CONTENT_TYPES, EXTENSIONS, openContent } from './content.ts';
import type { PrologueOf } from './prologue.ts';

/** A file of the dump that S3 holds, acknowledged with a matching checksum. */
export type ShippedFile = {
  /** mydumper's name for it. */
  readonly name: string;
  readonly key: string;
  /** What mydumper wrote. */
  readonly stagedBytes: number;
  /** What is stored, before compression: the same, or a few bytes more where a file needed a prologue. */
  readonly dumpedBytes: number;
  readonly storedBytes: number;
  /** Hex, of the dumped content. */
  readonly sha256: string;
  /** Base64, of the stored object. */
  readonly crc32: string;
};

export type ShipperOptions = {
  readonly store: ObjectStore;
  readonly watch: Pick<Watch, 'lease' | 'release'>;
  /** Key of the backup's folder, ending in a slash. */
  readonly folder: string;
  readonly compression: Compression;
  readonly prologueOf: PrologueOf;
  /** Files under way at once. */
  readonly concurrency: number;
  readonly onShipped: (file: ShippedFile) => void;
  /** Called once, with the first cause. */
  readonly onFailed: (failure: Failure) => void;
};

export type Shipper = {
  readonly add: (files: readonly StagedFile[]) => void;
  /** No new file is begun; those under way go on. */
  readonly stop: () => void;
  /** Resolves when nothing is waiting or under way, also after a failure. */
  readonly idle: () => Promise<void>;
  readonly shipped: () => readonly ShippedFile[];
};

/**
 * Ships finished files, the oldest first, several at a time. A file is released from staging after S3 has
 * acknowledged all of it, and not otherwise.
 */
export function createShipper(options: ShipperOptions): Shipper {
  const { store, watch, folder, compression, concurrency } = options;
  const waiting: StagedFile[] = [];
  const shipped: ShippedFile[] = [];
  const names = new Set<string>();
  let underWay = 0;
  let stopped = false;
  let idle = Promise.withResolvers<void>();
  idle.resolve();

  const ship = async (id: FileId): Promise<void> => {
    const lease = await watch.lease(id);
    if (names.has(lease.name)) {
      throw new Failure(
        'dump',
        `mydumper wrote two files named ${JSON.stringify(lease.name)}; one would replace the other`,
      );
    }
    names.add(lease.name);
    const { body, bytes, sha256 } = openContent(lease, compression, options.prologueOf(lease));
    const key = `${folder}${lease.name}${EXTENSIONS[compression]}`;
    const stored = await store.upload(key, body, CONTENT_TYPES[compression]);
    const file: ShippedFile = {
      name: lease.name,
      key,
      stagedBytes: lease.sizeBytes,
      dumpedBytes: bytes,
      storedBytes: stored.bytes,
      sha256: sha256(),
      crc32: stored.crc32,
    };
    await watch.release(id);
    shipped.push(file);
    options.onShipped(file);
  };

  const fail = (error: unknown) => {
    const wasStopped = stopped;
    stopped = true;
    if (wasStopped) return;
    options.onFailed(
      error instanceof Failure
        ? error
        : new Failure('upload', `shipping failed: ${messageOf(error)}`, { cause: error }),
    );
  };

  const fill = () => {
    while (!stopped && underWay < concurrency) {
      const next = waiting.shift();
      if (next === undefined) break;
      underWay += 1;
      ship(next.id)
        .catch(fail)
        .finally(() => {
          underWay -= 1;
          fill();
        });
    }
    if (underWay === 0 && (stopped || waiting.length === 0)) idle.resolve();
  };

  return {
    add: (files) => {
      if (files.length === 0) return;
      waiting.push(...files);
      if (underWay === 0) idle = Promise.withResolvers<void>();
      fill();
    },
    stop: () => {
      stopped = true;
      fill();
    },
    idle: () => idle.promise,
    shipped: () => shipped,
  };
}
