import type { Config } from '../config.ts';
import { exitCodeOf, Failure, type FailureKind, messageOf } from '../errors.ts';
import { listenAsWorkLog } from '../observe/work-log.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { openS3Reader } from '../storage/s3-reader.ts';
import { createWork, type Work } from '../work-events.ts';

export type Reading = {
  readonly config: Config;
  readonly store: BackupStore;
  readonly work: Work;
  /** Aborts with the failure that ends the command. */
  readonly interruption: AbortSignal;
};

/**
 * Runs a command that reads backups, with a log or a display. The interruption cuts its store.
 * Reports the first cause once. An error that is no Failure is a defect, and becomes a Failure of
 * `kind`.
 * @throws Failure
 */
export async function reading(
  config: Config,
  kind: FailureKind,
  interruption: AbortSignal,
  run: (reading: Reading) => Promise<void>,
): Promise<void> {
  const work = createWork();
  await listen(work, config);
  const startedAt = performance.now();
  const store = openS3Reader(config.store, config.uploadConcurrency, kind, (retry) =>
    work.emit('retried', retry),
  );
  const cut = () => store.interrupt(interruption.reason);
  if (interruption.aborted) cut();
  else interruption.addEventListener('abort', cut, { once: true });
  try {
    await run({ config, store, work, interruption });
  } catch (error) {
    const cause: unknown = interruption.aborted ? interruption.reason : error;
    const failure =
      cause instanceof Failure
        ? cause
        : new Failure(kind, `unexpected failure in this program: ${messageOf(cause)}`, { cause });
    const seconds = (performance.now() - startedAt) / 1000;
    work.emit('failed', { lines: failure.lines, exitCode: exitCodeOf(failure), seconds });
    throw failure;
  } finally {
    interruption.removeEventListener('abort', cut);
    store.close();
  }
}

/** Standard output is for the JSON result, or for the display on a terminal. */
async function listen(work: Work, config: Config): Promise<void> {
  const { json } = config.reading;
  if (process.stdout.isTTY && !json) {
    const { listenAsWorkProgress } = await import('../observe/work-progress.ts');
    listenAsWorkProgress(work, process.stdout);
    return;
  }
  const output = json ? process.stderr : process.stdout;
  listenAsWorkLog(work, {
    level: config.logLevel,
    source: config.source,
    command: config.command,
    output,
  });
}
