import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { Failure, messageOf } from '../errors.ts';
import type { FromLoader, LoadJob, LoadStart, ToLoader } from './load-protocol.ts';

export type Loaders = {
  readonly start: Omit<LoadStart, 'lanes' | 'turn'>;
  /** Connections in all threads. */
  readonly connections: number;
  readonly signal: AbortSignal;
  readonly onProgress: (bytes: number) => void;
  readonly onWarning: (message: string) => void;
  readonly onRetried: (retry: { operation: string; key: string; reason: string }) => void;
};

/** A job that failed. `spoiled`: the rows of its table may not stay. */
export class LoadFailed extends Failure {
  readonly job: LoadJob | undefined;
  readonly spoiled: boolean;

  constructor(
    { failure, lines, spoiled }: Extract<FromLoader, { kind: 'failed' }>,
    job: LoadJob | undefined,
  ) {
    super(failure, lines);
    this.job = job;
    this.spoiled = spoiled;
  }
}

/**
 * Loads files over several connections, which threads share. Files begin in the given order. After
 * the first failure all connections are closed.
 * @throws LoadFailed, or the signal's reason; all threads have ended then.
 */
export async function loadFiles(jobs: Iterable<LoadJob>, loaders: Loaders): Promise<void> {
  const { connections, signal } = loaders;
  const threads = Math.min(connections, Math.max(1, Math.floor(availableParallelism() / 2)));
  const turn = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
  const left = jobs[Symbol.iterator]();
  const underWay = new Map<number, LoadJob>();
  let failure: unknown;
  const workers: Worker[] = [];
  const fail = (error: unknown) => {
    failure ??= error;
    for (const worker of workers) send(worker, { kind: 'stop' });
  };

  const handle = (worker: Worker, message: FromLoader) => {
    switch (message.kind) {
      case 'idle': {
        const next = failure === undefined ? left.next() : undefined;
        if (next === undefined || next.done) return send(worker, { kind: 'end' });
        underWay.set(next.value.id, next.value);
        return send(worker, { kind: 'load', job: next.value });
      }
      case 'loaded':
        underWay.delete(message.id);
        return;
      case 'progress':
        return loaders.onProgress(message.bytes);
      case 'warning':
        return loaders.onWarning(message.message);
      case 'retried':
        return loaders.onRetried(message);
      case 'failed':
        return fail(new LoadFailed(message, underWay.get(message.id ?? -1)));
    }
  };

  const interrupted = () => fail(signal.reason);
  signal.addEventListener('abort', interrupted, { once: true });
  try {
    signal.throwIfAborted();
    const ends = Array.from({ length: threads }, async (_, at) => {
      const lanes = Math.floor((connections + at) / threads);
      const worker = new Worker(new URL('./load.worker.ts', import.meta.url), {
        workerData: { ...loaders.start, lanes, turn } satisfies LoadStart,
      });
      workers.push(worker);
      worker.on('message', (message: FromLoader) => handle(worker, message));
      worker.on('error', (error) =>
        fail(
          new Failure('restore', `a thread that loads rows failed: ${messageOf(error)}`, {
            cause: error,
          }),
        ),
      );
      await once(worker, 'exit').catch(() => {});
    });
    await Promise.all(ends);
  } finally {
    signal.removeEventListener('abort', interrupted);
  }
  if (failure !== undefined) throw failure;
}

function send(worker: Worker, message: ToLoader): void {
  worker.postMessage(message);
}
