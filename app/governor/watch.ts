import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../errors.ts';
import type { FileId } from '../staging/process-files.ts';
import type { StagedFile } from '../staging/tracked-file.ts';
import type { Growth, Lease } from '../staging/tracker.ts';
import { within } from '../within.ts';
import type { FromWatch, ToWatch, WatchStart, WatchStats } from './protocol.ts';
import { watchForSilence } from './silence.ts';

export type WatchListener = {
  readonly finished: (files: readonly StagedFile[]) => void;
  /** Files that mydumper still writes and that are large enough to be shipped meanwhile. */
  readonly growing: (files: readonly StagedFile[]) => void;
  readonly growth: (growth: readonly Growth[]) => void;
  readonly press: (id: FileId) => void;
  readonly exceeded: (reason: string) => void;
  readonly paused: (pause: { reason: string; stagedBytes: number }) => void;
  readonly resumed: (pause: { reason: string; stagedBytes: number; pausedSeconds: number }) => void;
  readonly stats: (stats: WatchStats) => void;
  /** The run cannot go on. Called once. */
  readonly failed: (failure: Failure) => void;
};

/** The watching thread, seen from the rest of the program. */
export type Watch = {
  /** Resolves when the thread looks at staging: mydumper may be started now. */
  readonly ready: Promise<{ readonly gate: boolean }>;
  /** Tells it whom to govern. */
  readonly govern: (processGroup: number) => void;
  /**
   * Opens a file. Its descriptor belongs to the watching thread.
   * @throws Failure `dump` when the file is missing.
   */
  readonly lease: (id: FileId) => Promise<Lease>;
  /** Frees the disk of a leased file's first bytes, which S3 has acknowledged. */
  readonly free: (id: FileId, bytes: number) => void;
  /** Removes a file that S3 has acknowledged. @throws Failure `staging` when that is refused. */
  readonly release: (id: FileId) => Promise<void>;
  readonly locksReleased: () => void;
  /** Tells it that mydumper is gone; resolves when every file left was announced. */
  readonly drain: () => Promise<void>;
  readonly stats: () => WatchStats;
  /** Ends the thread, closing what it has open. */
  readonly end: () => Promise<void>;
};

const NOTHING_YET: WatchStats = {
  stagedBytes: 0,
  peakStagedBytes: 0,
  dumpedBytes: 0,
  stopped: false,
  pauses: 0,
  pausedSeconds: 0,
  longestPauseSeconds: 0,
  lockedStopSeconds: 0,
  longestReactionSeconds: 0,
};

type Waiting<T> = { resolve: (value: T) => void; reject: (error: Failure) => void };

/**
 * The limit for young objects in the thread's heap. The names of a full directory are garbage a
 * moment later: without a limit the heap grows to 130 MiB for 8 MiB of live data.
 */
const YOUNG_GENERATION_MIB = 8;

/** For closing what it has open. */
const LONGEST_END_MILLISECONDS = 5000;

/** Starts the watching thread. */
export function startWatch(start: WatchStart, listener: WatchListener): Watch {
  const worker = new Worker(new URL('./watch.worker.ts', import.meta.url), {
    workerData: start,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MIB },
  });
  const leases = new Map<FileId, Waiting<Lease>>();
  const releases = new Map<FileId, Waiting<void>>();
  const drained = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<{ gate: boolean }>();
  const gone = Promise.withResolvers<void>();
  drained.promise.catch(() => {});
  ready.promise.catch(() => {});
  let stats = NOTHING_YET;
  let over: Failure | undefined;

  const send = (message: ToWatch) => worker.postMessage(message);
  const fail = (failure: Failure) => {
    if (over !== undefined) return;
    over = failure;
    silence.end();
    for (const { reject } of [...leases.values(), ...releases.values()]) reject(failure);
    drained.reject(failure);
    ready.reject(failure);
    listener.failed(failure);
  };
  const settle = <T>(waiting: Map<FileId, Waiting<T>>, id: FileId): Waiting<T> | undefined => {
    const found = waiting.get(id);
    waiting.delete(id);
    return found;
  };

  // It reports its figures ten times a second.
  const silence = watchForSilence((seconds) => {
    const message =
      `the thread that watches staging has not been heard for ${seconds} s; ` +
      'does the disk of OUTPUTDIR hang?';
    fail(new Failure('staging', message));
  });

  const handle = (message: FromWatch): void => {
    silence.heard();
    switch (message.kind) {
      case 'ready':
        ready.resolve({ gate: message.gate });
        break;
      case 'finished':
        listener.finished(message.files);
        break;
      case 'growing':
        listener.growing(message.files);
        break;
      case 'growth':
        listener.growth(message.growth);
        break;
      case 'press':
        listener.press(message.id);
        break;
      case 'exceeded':
        listener.exceeded(message.reason);
        break;
      case 'leased':
        settle(leases, message.lease.id)?.resolve(message.lease);
        break;
      case 'leaseFailed':
        settle(leases, message.id)?.reject(new Failure('dump', message.reason));
        break;
      case 'released':
        settle(releases, message.id)?.resolve();
        break;
      case 'releaseFailed':
        settle(releases, message.id)?.reject(new Failure('staging', message.reason));
        break;
      case 'paused':
        listener.paused({ reason: message.reason, stagedBytes: message.stagedBytes });
        break;
      case 'resumed':
        listener.resumed(message);
        break;
      case 'stats':
        stats = message.stats;
        listener.stats(stats);
        break;
      case 'drained':
        drained.resolve();
        break;
      case 'failed':
        fail(new Failure(message.fault, message.reason));
        break;
    }
  };
  // Listened to from the start: a thread that failed may be gone before anybody waits for its end.
  worker.once('exit', () => gone.resolve());
  worker.on('message', handle);
  worker.on('error', (error) => {
    fail(
      new Failure('staging', `the thread that watches staging failed: ${messageOf(error)}`, {
        cause: error,
      }),
    );
  });

  const ask = <T>(
    waiting: Map<FileId, Waiting<T>>,
    message: ToWatch & { id: FileId },
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      if (over !== undefined) return reject(over);
      waiting.set(message.id, { resolve, reject });
      send(message);
    });

  return {
    ready: ready.promise,
    govern: (processGroup) => send({ kind: 'mydumperStarted', processGroup }),
    lease: (id) => ask(leases, { kind: 'lease', id }),
    free: (id, bytes) => send({ kind: 'free', id, bytes }),
    release: (id) => ask(releases, { kind: 'release', id }),
    locksReleased: () => send({ kind: 'locksReleased' }),
    drain: () => {
      send({ kind: 'mydumperExited' });
      return drained.promise;
    },
    stats: () => stats,
    end: async () => {
      silence.end();
      send({ kind: 'end' });
      await within(LONGEST_END_MILLISECONDS, gone.promise);
      void worker.terminate();
    },
  };
}
