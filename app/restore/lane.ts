import { setTimeout as sleep } from 'node:timers/promises';
import type { Compression, ServerConfig } from '../config.ts';
import { Failure, messageOf } from '../errors.ts';
import { readContent } from '../manifest/content.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { isPassing } from './load-errors.ts';
import { type Attempt, type FileOptions, loadFile } from './load-file.ts';
import type { LoadJob } from './load-protocol.ts';
import { type LoadSession, openLoadSession } from './load-session.ts';
import { openAgain } from './reconnect.ts';
import { WarningsHidden } from './warnings.ts';

/** Statements are cut at their rows to about this size, so that memory stays bounded. */
const PART_BYTES = 4 * 1024 * 1024;
/** Smaller ones, where the server does not show all warnings about a statement. */
const LEAST_PART_BYTES = 1024;
/** Attempts at a file without any progress between them. */
const ATTEMPTS = 8;
const LONGEST_WAIT_MILLISECONDS = 15_000;

export type LaneOptions = FileOptions & {
  readonly server: ServerConfig;
  readonly store: BackupStore;
  readonly compression: Compression;
  /** Bytes of the dump that were not counted before. */
  readonly onProgress: (bytes: number) => void;
  readonly onWarning: (message: string) => void;
  readonly signal: AbortSignal;
};

/** One connection that loads file after file. */
export type Lane = {
  /**
   * Loads what is missing of a file, and compares its content with the manifest. It rides out
   * deadlocks and lost connections.
   * @throws Spoiled when the content is not trusted, Failure `restore` or the server's error
   *   otherwise.
   */
  readonly load: (job: LoadJob) => Promise<void>;
  /** Begins to read a file that is loaded next, since S3 takes a while to answer. */
  readonly prepare: (job: LoadJob) => void;
  readonly end: () => Promise<void>;
};

export function createLane(options: LaneOptions): Lane {
  const { server, signal, turn } = options;
  let session: LoadSession | undefined;

  const drop = async () => {
    const old = session;
    session = undefined;
    await old?.database.close();
  };
  signal.addEventListener('abort', () => void drop());

  const connected = async (): Promise<LoadSession> => {
    session ??= await openAgain(() => openLoadSession(server), signal);
    return session;
  };

  const opened = new Map<number, Content>();
  const read = ({ file }: LoadJob, early: boolean) =>
    contentOf(readContent(options.store, file, options.compression), early);

  return {
    prepare: (job) => {
      opened.set(job.id, read(job, true));
    },
    load: async (job) => {
      let counted = 0;
      const count = (position: number) => {
        if (position <= counted) return;
        options.onProgress(position - counted);
        counted = position;
      };
      let attempts = 0;
      let furthest = -1;
      let partBytes = PART_BYTES;
      for (;;) {
        const attempt: Attempt = { partBytes, begun: false, committedBytes: 0 };
        const content = opened.get(job.id) ?? read(job, false);
        opened.delete(job.id);
        try {
          await loadFile(options, await connected(), job, content.pieces, attempt, count);
          return;
        } catch (error) {
          // The server rolls back what was not committed.
          await drop();
          signal.throwIfAborted();
          if (
            error instanceof WarningsHidden &&
            job.transactional &&
            partBytes > LEAST_PART_BYTES
          ) {
            partBytes /= 16;
            continue;
          }
          if (!isPassing(error)) throw error;
          if (attempt.begun && !job.transactional) throw halfLoaded(job, error);
          attempts = attempt.committedBytes > furthest ? 1 : attempts + 1;
          furthest = Math.max(furthest, attempt.committedBytes);
          if (attempts >= ATTEMPTS) throw error;
          options.onWarning(`${job.file.key}: ${messageOf(error)}; resuming after the last commit`);
          const most = Math.min(LONGEST_WAIT_MILLISECONDS, 100 * 2 ** attempts);
          await sleep(Math.random() * most, undefined, { signal });
        } finally {
          turn.giveBack();
          await content.close();
        }
      }
    },
    end: drop,
  };
}

function halfLoaded({ file }: LoadJob, error: unknown): Failure {
  return new Failure(
    'restore',
    `${file.key}: ${messageOf(error)}; its table has no transactions, ` +
      'so the same command empties it and loads it again',
    { cause: error },
  );
}

type Content = {
  readonly pieces: AsyncIterable<Buffer>;
  readonly close: () => Promise<unknown>;
};

/** `early`: the first piece is asked for at once. */
function contentOf(pieces: AsyncGenerator<Buffer>, early: boolean): Content {
  const close = () => pieces.return(undefined);
  if (!early) return { pieces, close };
  const first = pieces.next();
  // Reported when the content is read.
  first.catch(() => {});
  const withFirst = async function* () {
    const { value, done } = await first;
    if (done) return;
    yield value;
    yield* pieces;
  };
  return { pieces: withFirst(), close };
}
