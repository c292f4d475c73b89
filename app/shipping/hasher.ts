import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';

/** The SHA-256 of one file. */
export type FileHash = {
  /**
   * Takes the next piece, which must not change before `onHashed` was called. Resolves when another one may come: what waits to be hashed is
   * limited.
   */
  readonly add: (data: Uint8Array, onHashed: () => void) => Promise<void>;
  /** Hex, of all that was added. */
  readonly sha256: () => Promise<string>;
};

export type Hasher = {
  readonly open: () => FileHash;
  /** Ends the thread; what was not hashed yet never will be. */
  readonly end: () => Promise<void>;
};

export type ToHasher = { readonly id: number; readonly data: Uint8Array } | { readonly id: number };
/** Each piece is answered, and the end of a file by its hash, in the order they came. */
export type FromHasher = { readonly id: number; readonly sha256?: string };

/** Pieces of a megabyte: as many as there are parts in the making, and some to keep it busy. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
/** It holds next to nothing. */
const YOUNG_GENERATION_MIB = 2;

/** Hashes where it is called: for what is so small that telling a thread of it costs more. */
export function hashHere(): FileHash {
  const hash = createHash('sha256');
  let sha256: string | undefined;
  return {
    add: async (data, onHashed) => {
      hash.update(data);
      onHashed();
    },
    sha256: async () => {
      sha256 ??= hash.digest('hex');
      return sha256;
    },
  };
}

/**
 * Hashes in a thread of its own. Memory that is shared (`SharedArrayBuffer`) is not copied for it.
 * A thread that fails fails everything that waits for it and all that comes later.
 */
export function startHasher(): Hasher {
  const worker = new Worker(new URL('./hash.worker.ts', import.meta.url), {
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  });
  type Waiting = { readonly bytes: number; readonly done: (sha256: string | undefined) => void };
  /** What was sent and not answered, in order. */
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  let room = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  let ids = 0;

  worker.on('message', ({ sha256 }: FromHasher) => {
    const answered = waiting.shift();
    if (answered === undefined) return;
    waitingBytes -= answered.bytes;
    answered.done(sha256);
    room.resolve();
    room = Promise.withResolvers<void>();
  });
  worker.on('error', (error) => {
    broken.reject(new Error('the thread that hashes failed', { cause: error }));
  });
  worker.on('exit', () => broken.reject(new Error('the thread that hashes has ended')));

  const send = (message: ToHasher, bytes: number, done: Waiting['done']) => {
    waiting.push({ bytes, done });
    waitingBytes += bytes;
    worker.postMessage(message);
  };
  return {
    open: () => {
      ids += 1;
      const id = ids;
      let sha256: Promise<string> | undefined;
      return {
        add: async (data, onHashed) => {
          send({ id, data }, data.byteLength, onHashed);
          while (waitingBytes > MOST_WAITING_BYTES) await Promise.race([room.promise, broken.promise]);
        },
        sha256: () => {
          sha256 ??= new Promise((resolve, reject) => {
            broken.promise.catch(reject);
            send({ id }, 0, (hex) => resolve(hex ?? ''));
          });
          return sha256;
        },
      };
    },
    end: async () => {
      await worker.terminate();
    },
  };
}
