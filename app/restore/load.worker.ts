/** A thread that loads data files: it reads, decompresses, checks, cuts and sends them. */
import { parentPort, workerData } from 'node:worker_threads';
import { Failure, messageOf } from '../errors.ts';
import { openS3Reader } from '../storage/s3-reader.ts';
import { createLane } from './lane.ts';
import { Spoiled } from './load-file.ts';
import type { FromLoader, LoadJob, LoadStart, ToLoader } from './load-protocol.ts';
import { createMemoryTurn } from './memory-turn.ts';

const start = workerData as LoadStart;
const port = parentPort;
if (port === null) throw new Error('load.worker.ts runs as a worker thread');
const tell = (message: FromLoader) => port.postMessage(message);

/** So that a display moves, and a slow network is not taken for a stall. */
const PROGRESS_MILLISECONDS = 200;

const stop = new AbortController();
const store = openS3Reader(start.store, start.lanes, 'restore', (retry) =>
  tell({ kind: 'retried', ...retry }),
);
const waiting: ((job: LoadJob | undefined) => void)[] = [];

let uncounted = 0;

/** A message for each chunk would cost too much. */
function count(bytes: number): void {
  uncounted += bytes;
}

function tellProgress(): void {
  if (uncounted > 0) tell({ kind: 'progress', bytes: uncounted });
  uncounted = 0;
}

setInterval(tellProgress, PROGRESS_MILLISECONDS).unref();

/** undefined when there is nothing left to do. */
function nextJob(): Promise<LoadJob | undefined> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    tell({ kind: 'idle' });
  });
}

async function work(): Promise<void> {
  const lane = createLane({
    ...start,
    store,
    turn: createMemoryTurn(start.turn, stop.signal),
    onProgress: count,
    onWarning: (message) => tell({ kind: 'warning', message }),
    signal: stop.signal,
  });
  let id: number | undefined;
  try {
    let job = await nextJob();
    while (job !== undefined) {
      id = job.id;
      const next = nextJob();
      void next.then((prepared) => prepared !== undefined && lane.prepare(prepared));
      await lane.load(job);
      tellProgress();
      tell({ kind: 'loaded', id });
      job = await next;
    }
  } catch (error) {
    if (stop.signal.aborted) return;
    const failure =
      error instanceof Failure ? error : new Failure('restore', asLine(error), { cause: error });
    const { kind, lines } = failure;
    tell({ kind: 'failed', id, failure: kind, lines, spoiled: error instanceof Spoiled });
  } finally {
    await lane.end();
  }
}

function asLine(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  const name = typeof code === 'string' ? ` (${code})` : '';
  return /^ER_/.test(String(code))
    ? `the MySQL server refused a statement: ${messageOf(error)}${name}`
    : `${messageOf(error)}${name}`;
}

function end(): void {
  for (const resolve of waiting.splice(0)) resolve(undefined);
}

port.on('message', (message: ToLoader) => {
  if (message.kind === 'load') waiting.shift()?.(message.job);
  else if (message.kind === 'end') end();
  else {
    stop.abort(new Error('the restore ends'));
    store.interrupt(new Error('the restore ends'));
    end();
  }
});

await Promise.all(Array.from({ length: start.lanes }, work));
store.close();
port.close();
