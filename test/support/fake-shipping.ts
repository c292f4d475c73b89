import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { expect, vi } from 'vitest';
import { Failure } from '../../app/errors.ts';
import type { Watch } from '../../app/governor/watch.ts';
import { hashHere } from '../../app/shipping/hasher.ts';
import {
  createShipper,
  type ShippedFile,
  type ShipperOptions,
} from '../../app/shipping/shipper.ts';
import type { StagedFile } from '../../app/staging/tracked-file.ts';
import type { Lease } from '../../app/staging/tracker.ts';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import type { ObjectStore, StoredObject } from '../../app/storage/object-store.ts';
import { leasedFile } from './leased-file.ts';

const WAIT = { timeout: 30_000, interval: 1 };

export type FakeUpload = {
  readonly key: string;
  readonly contentType: string;
  readonly content: Buffer;
  readonly acknowledge: () => void;
  readonly refuse: (error: unknown) => void;
};

/** What has come of a body that may still go on. */
export type FakePart = {
  receivedBytes: number;
  /** Tells that so many first bytes are acknowledged. */
  readonly acknowledge: (bytes: number) => void;
};

const unexpected = (what: string) => (): never => {
  throw new Error(`${what} is none of the shipper's business`);
};

/**
 * A store that reads bodies and then waits for the test to choose its answer, and a watching thread
 * over real files. `log` holds the requests to both and the ends of uploads, in order.
 */
export function fakeShipping() {
  const log: string[] = [];
  const uploads: FakeUpload[] = [];
  const beginnings = new Map<string, FakePart>();
  const leases = new Map<string, Lease>();
  const refusedReleases = new Set<string>();

  const store: ObjectStore = {
    probe: unexpected('probe'),
    claim: unexpected('claim'),
    create: unexpected('create'),
    interrupt: unexpected('interrupt'),
    close: unexpected('close'),
    upload: async (key, body, contentType, options) => {
      log.push(`upload ${key}`);
      const answer = Promise.withResolvers<void>();
      const part: FakePart = {
        receivedBytes: 0,
        acknowledge: (bytes) => options?.onAcknowledged?.(bytes),
      };
      beginnings.set(key, part);
      const content = await buffer(
        (async function* () {
          for await (const chunk of body as AsyncIterable<Buffer>) {
            part.receivedBytes += chunk.length;
            yield chunk;
          }
        })(),
      );
      const refuse = (error: unknown) => answer.reject(error);
      uploads.push({ key, contentType, content, acknowledge: answer.resolve, refuse });
      await answer.promise.finally(() => log.push(`answer ${key}`));
      return {
        key,
        bytes: content.length,
        crc32: encodeCrc32(crc32(content)),
      } satisfies StoredObject;
    },
  };
  const watch: Pick<Watch, 'lease' | 'free' | 'release'> = {
    lease: async (id) => {
      log.push(`lease ${id}`);
      const lease = leases.get(id);
      if (lease === undefined) throw new Failure('dump', `there is no file ${id}`);
      return lease;
    },
    free: (id, bytes) => void log.push(`free ${id} ${bytes}`),
    release: async (id) => {
      log.push(`release ${id}`);
      if (refusedReleases.has(id)) throw new Failure('staging', `${id} cannot be removed`);
    },
  };

  /** A file in staging, finished unless told; its id is its name unless given. */
  const stage = (
    name: string,
    content: Buffer | string = `content of ${name}`,
    { id = name, closed = true }: { id?: string; closed?: boolean } = {},
  ): StagedFile & { readonly path: string } => {
    const lease = leasedFile(content, { id, name, closed });
    leases.set(id, lease);
    return { id, name, sizeBytes: lease.sizeBytes, path: lease.path };
  };
  return { store, watch, log, uploads, beginnings, stage, refusedReleases };
}

/** A shipper over a fake store and watching thread, and what it told. */
export function startShipping(options: Partial<ShipperOptions> = {}) {
  const fake = fakeShipping();
  const failures: Failure[] = [];
  const told: ShippedFile[] = [];
  const shipper = createShipper({
    store: fake.store,
    watch: fake.watch,
    folder: 'db/run/',
    compression: 'none',
    prologueOf: () => Buffer.alloc(0),
    hasher: { open: hashHere },
    partBytes: 5 * 1024 * 1024,
    concurrency: 2,
    growingConcurrency: 4,
    onShipped: (file) => told.push(file),
    onFailed: (failure) => failures.push(failure),
    ...options,
  });
  /** Waits until so many uploads in all have been read and wait for their answers. */
  const uploading = async (count: number) => {
    await vi.waitFor(() => expect(fake.uploads.length).toBeGreaterThanOrEqual(count), WAIT);
    const upload = fake.uploads[count - 1];
    if (upload === undefined) throw new Error('unreachable');
    return upload;
  };
  const releases = () => fake.log.filter((line) => line.startsWith('release'));
  /** Whether `idle()` has resolved once everything that could has. */
  const isIdle = async () => {
    let resolved = false;
    shipper.idle().then(() => {
      resolved = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    return resolved;
  };
  return { ...fake, shipper, failures, told, uploading, releases, isIdle };
}
