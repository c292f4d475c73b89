import { RESTORE_STATE_DATABASE } from '../contract.ts';
import type { Database } from '../database/connection.ts';
import { listNames } from '../database/names.ts';
import { RESTORING, takeRunLock } from '../database/run-lock.ts';
import { Failure, messageOf } from '../errors.ts';
import { checkRestored } from '../restore/check.ts';
import { openLasting } from '../restore/lasting-database.ts';
import { isLost } from '../restore/load-errors.ts';
import { onServer, planRestore, type RestorePlan } from '../restore/open.ts';
import { loadFrom } from '../restore/phases.ts';
import { isStale, type Progress } from '../restore/state.ts';
import { obstacles, type Target, tablesWithRows } from '../restore/target.ts';
import type { Reading } from './reading.ts';
import { announce, reportDone, reportPlan } from './restore-report.ts';

/**
 * Loads a backup into a server, over our own connections and without any disk. The server itself
 * records the progress. So the same command resumes an earlier restore, regardless of how that one
 * ended.
 * @throws Failure with the first cause.
 */
export async function restore(reading: Reading): Promise<void> {
  const { config } = reading;
  const startedAt = performance.now();
  // 1. Choose the backup and the objects. Change nothing.
  const plan = await planRestore(reading);
  const database = await openLasting(config.server, reading.interruption);
  const awake = keepAwake(database);
  try {
    const { target, state } = onServer(reading, plan, database);
    // 2. Keep other restores into this server away until this one ends.
    const { held, release } = await takeLock(reading);
    try {
      // 3. Resume an earlier restore, or check that nothing is in the way.
      const progress = await state.read();
      if (progress === undefined) await requireWay(reading, plan, target);
      else await requireResumable(reading, plan, target, progress);
      if (config.reading.restore.dryRun) return reportPlan(reading, plan, progress);
      await announce(reading, plan, target, progress);
      // 4. Load, in an order in which no object blocks another.
      await (progress === undefined ? state.begin() : state.resume());
      await loadFrom({ reading: held, plan, target, state }, progress?.phase ?? 'schemas');
      // 5. Compare, when RESTORE_CHECK is set.
      const checked = config.reading.restore.check
        ? await checkRestored(held, plan, target, state)
        : undefined;
      // 6. Record the end. Only now is the restore complete.
      await state.end();
      reportDone(reading, plan, checked, (performance.now() - startedAt) / 1000);
    } finally {
      await release();
    }
  } catch (error) {
    throw asFailure(error);
  } finally {
    clearInterval(awake);
    await database.close();
  }
}

/** Network paths on AWS drop connections that are idle for 350 s. Rows may take longer. */
const KEEP_AWAKE_MILLISECONDS = 60_000;

function keepAwake(database: Database): NodeJS.Timeout {
  // The next statement reports a lost connection.
  return setInterval(() => database.query('DO 1').catch(() => {}), KEEP_AWAKE_MILLISECONDS).unref();
}

/** Takes the lock. The returned reading ends when another restore takes the lock over. */
async function takeLock(
  reading: Reading,
): Promise<{ held: Reading; release: () => Promise<void> }> {
  const { config, work, store } = reading;
  const lost = new AbortController();
  const lock = await takeRunLock(
    config.server,
    RESTORING,
    (message) => work.emit('warning', { message }),
    (failure) => {
      store.interrupt(failure);
      lost.abort(failure);
    },
  );
  const interruption = AbortSignal.any([reading.interruption, lost.signal]);
  return { held: { ...reading, interruption }, release: lock.release };
}

/** Errors of the server are for the operator to fix. Any other error is this program's defect. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code } = error as { code?: unknown };
  const name = typeof code === 'string' ? code : '';
  const reason = `${messageOf(error)}${name === '' ? '' : ` (${name})`}`;
  if (isLost(error)) {
    const message =
      `the connection to the MySQL server was lost: ${reason}; ` +
      'the same command resumes the restore';
    return new Failure('restore', message, { cause: error });
  }
  const what = name.startsWith('ER_')
    ? 'the MySQL server refused a statement'
    : 'unexpected failure in this program';
  return new Failure('restore', `${what}: ${reason}`, { cause: error });
}

async function requireWay(
  { config }: Reading,
  { selection }: RestorePlan,
  target: Target,
): Promise<void> {
  const { overwrite, what } = config.reading.restore;
  const found = await obstacles(target, selection, what === 'data');
  if (found.length === 0 || overwrite) return;
  throw new Failure('preflight', [
    ...found,
    'nothing was changed; --overwrite replaces them, --as loads into a database of another name',
  ]);
}

/**
 * Refuses to resume an old restore: that may empty tables in use since. Before a restore loads rows
 * it has created empty tables only, so it did not create a table with rows.
 * @throws Failure `preflight`
 */
async function requireResumable(
  { config }: Reading,
  { location, selection }: RestorePlan,
  target: Target,
  progress: Progress,
): Promise<void> {
  if (config.reading.restore.overwrite) return;
  if (progress.phase === 'schemas') {
    const full = await tablesWithRows(target, selection);
    if (full.length > 0)
      throw new Failure('preflight', [
        `tables that an earlier attempt at this restore did not fill hold rows: ${listNames(full)}`,
        'nothing was changed; --overwrite replaces them',
      ]);
  }
  if (!isStale(progress)) return;
  throw new Failure('preflight', [
    `a restore of ${location} into this server was begun at ${progress.startedAt} UTC, ` +
      `last worked at ${progress.workedAt} UTC and not finished (phase ${progress.phase}): ` +
      'resuming after more than a day could empty or replace tables that are in use by now',
    'nothing was changed; --overwrite resumes it; to start over instead, ' +
      `drop the database ${RESTORE_STATE_DATABASE} ` +
      '(which forgets every unfinished restore into this server) and what was loaded',
  ]);
}
