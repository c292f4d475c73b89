import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import { createNews } from '../news.ts';
import { createStatementMeter } from './statement-meter.ts';

/** The results over all bytes of one file. */
export type FileDigest = {
  /** Hex. */
  readonly sha256: string;
  readonly largestStatementBytes: number;
};

/** The SHA-256 and the largest statement of one file. */
export type FileHash = {
  /**
   * Takes the next piece, which must not change before `onHashed` was called. Resolves when the
   * next piece may come: the queue is limited.
   */
  readonly add: (data: Uint8Array, onHashed: () => void) => Promise<void>;
  /** Of all that was added. */
  readonly digest: () => Promise<FileDigest>;
};

export type Hasher = {
  readonly open: () => FileHash;
  /** Ends the thread; what was not hashed yet never will be. */
  readonly end: () => Promise<void>;
};

export type ToHasher = { readonly id: number; readonly data: Uint8Array } | { readonly id: number };
/**
 * The thread answers each piece, and the end of a file with its digest, in the order of arrival.
 */
export type FromHasher = { readonly id: number; readonly digest?: FileDigest };

/** Pieces of a megabyte: as many as there are parts in the making, and some to keep it busy. */
const MOST_WAITING_BYTES = 8 * 1024 * 1024;
/** It holds next to nothing. */
const YOUNG_GENERATION_MIB = 2;

/** Hashes where it is called: for what is so small that telling a thread of it costs more. */
export function hashHere(): FileHash {
  const digester = createDigester();
  let digest: FileDigest | undefined;
  return {
    add: async (data, onHashed) => {
      digester.update(data);
      onHashed();
    },
    digest: async () => {
      digest ??= digester.end();
      return digest;
    },
  };
}

/** Gives each piece to `reader` too, before the hasher may give its memory back. */
export function readingToo(
  hash: FileHash,
  reader: ((piece: Uint8Array) => void) | undefined,
): FileHash {
  if (reader === undefined) return hash;
  return {
    digest: hash.digest,
    add: (data, onHashed) => {
      reader(data);
      return hash.add(data, onHashed);
    },
  };
}

/** Hashes and measures one file; used by both ways of hashing. */
export function createDigester(): { update: (data: Uint8Array) => void; end: () => FileDigest } {
  const hash = createHash('sha256');
  const meter = createStatementMeter();
  return {
    update: (data) => {
      hash.update(data);
      meter.add(data);
    },
    end: () => ({ sha256: hash.digest('hex'), largestStatementBytes: meter.largestBytes() }),
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
  type Waiting = {
    readonly bytes: number;
    readonly done: (digest: FileDigest | undefined) => void;
  };
  /** What was sent and not answered, in order. */
  const waiting: Waiting[] = [];
  let waitingBytes = 0;
  const { next, notify } = createNews();
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => {});
  let ids = 0;

  worker.on('message', ({ digest }: FromHasher) => {
    const answered = waiting.shift();
    if (answered === undefined) return;
    waitingBytes -= answered.bytes;
    answered.done(digest);
    notify();
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
      let digest: Promise<FileDigest> | undefined;
      return {
        add: async (data, onHashed) => {
          send({ id, data }, data.byteLength, onHashed);
          while (waitingBytes > MOST_WAITING_BYTES) await Promise.race([next(), broken.promise]);
        },
        digest: () => {
          digest ??= new Promise((resolve, reject) => {
            broken.promise.catch(reject);
            send({ id }, 0, (answer) => {
              if (answer === undefined) reject(new Error('the thread that hashes gave no digest'));
              else resolve(answer);
            });
          });
          return digest;
        },
      };
    },
    end: async () => {
      await worker.terminate();
    },
  };
}
