import { Failure, messageOf } from '../errors.ts';
import type { Events, Sample } from '../events.ts';
import type { WatchStats } from '../governor/protocol.ts';

/**
 * State that the parts of a run share: the first cause of its failure, which interrupts all of
 * them, and the counters for samples.
 */
export type RunState = {
  /** Settles with `work`, or rejects as soon as the run has failed anywhere. */
  readonly orFail: <T>(work: Promise<T>) => Promise<T>;
  /** Ends the run as failed. Only the first cause is kept. */
  readonly fail: (failure: Failure) => void;
  readonly onFailure: (listener: (failure: Failure) => void) => void;
  readonly firstCause: (error: unknown) => Failure;
  readonly hasFailed: () => boolean;
  /** Aborts when the run has failed. */
  readonly signal: AbortSignal;
  readonly uploaded: (bytes: number) => void;
  readonly retried: (retry: { operation: string; key: string; reason: string }) => void;
  readonly retries: () => number;
  readonly watched: (stats: WatchStats) => void;
  readonly sample: (state: Sample['state']) => void;
};

/** Sums over all attempts of one backup. */
export type Totals = {
  readonly uploaded: { uploadedBytes: number; uploadedFiles: number; uploadRetries: number };
  /** Counted by the watching threads. */
  readonly watched: { dumpedBytes: number; pauses: number; pausedSeconds: number };
};

export function createTotals(): Totals {
  return {
    uploaded: { uploadedBytes: 0, uploadedFiles: 0, uploadRetries: 0 },
    watched: { dumpedBytes: 0, pauses: 0, pausedSeconds: 0 },
  };
}

export function createRunState(
  budgetBytes: number,
  interruption: AbortSignal,
  events: Events,
  totals: Totals,
): RunState {
  const controller = new AbortController();
  const { signal } = controller;
  const counters = totals.uploaded;
  const earlier = { ...totals.watched };
  let staging = { stagedBytes: 0, peakStagedBytes: 0 };

  const fail = (failure: Failure) => {
    if (!signal.aborted) controller.abort(failure);
  };
  const interrupted = () => fail(asFailure(interruption.reason));
  if (interruption.aborted) interrupted();
  else interruption.addEventListener('abort', interrupted, { once: true });

  return {
    orFail: async (work) => {
      const { promise, reject } = Promise.withResolvers<never>();
      const cut = () => reject(signal.reason);
      if (signal.aborted) cut();
      signal.addEventListener('abort', cut, { once: true });
      try {
        return await Promise.race([work, promise]);
      } finally {
        signal.removeEventListener('abort', cut);
        // The run has already reported the first cause: a later rejection is ignored.
        work.catch(() => {});
        promise.catch(() => {});
      }
    },
    fail,
    onFailure: (listener) => {
      signal.addEventListener('abort', () => listener(asFailure(signal.reason)), { once: true });
    },
    firstCause: (error) => {
      if (!signal.aborted) return asFailure(error);
      // An error that wraps the first cause holds more detail.
      return asFailure(
        error instanceof Failure && error.cause === signal.reason ? error : signal.reason,
      );
    },
    hasFailed: () => signal.aborted,
    signal,
    uploaded: (bytes) => {
      counters.uploadedBytes += bytes;
      counters.uploadedFiles += 1;
    },
    retried: (retry) => {
      counters.uploadRetries += 1;
      events.emit('retried', retry);
    },
    retries: () => counters.uploadRetries,
    watched: ({ stagedBytes, peakStagedBytes, dumpedBytes, pauses, pausedSeconds }) => {
      totals.watched.dumpedBytes = earlier.dumpedBytes + dumpedBytes;
      totals.watched.pauses = earlier.pauses + pauses;
      totals.watched.pausedSeconds = earlier.pausedSeconds + pausedSeconds;
      staging = { stagedBytes, peakStagedBytes };
    },
    sample: (state) => {
      events.emit('sample', { ...staging, ...totals.watched, ...counters, budgetBytes, state });
    },
  };
}

function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  return new Failure('dump', `unexpected failure in this program: ${messageOf(error)}`, {
    cause: error,
  });
}
