import { RESTORE_STATE_DATABASE } from '../contract.ts';
import { type Database, openDatabase } from '../database/connection.ts';
import { RESTORING, takeRunLock } from '../database/run-lock.ts';
import { readSessionCipher } from '../database/tls.ts';
import { Failure, messageOf } from '../errors.ts';
import { checkConnection } from '../mydumper/connection-check.ts';
import { type ToolTls, toolTls, unusedAuthority } from '../mydumper/tls.ts';
import { describePartial, formatBytes, formatCount, formatDuration } from '../observe/format.ts';
import { checkRestored } from '../restore/check.ts';
import type { CheckResult } from '../restore/check-result.ts';
import { onServer, planRestore, type RestorePlan } from '../restore/open.ts';
import { loadFrom } from '../restore/phases.ts';
import { counts, describePlan } from '../restore/plan-text.ts';
import { isStale, type Progress } from '../restore/state.ts';
import { obstacles, type Target } from '../restore/target.ts';
import { claimStaging, type Staging } from '../staging/directory.ts';
import type { Reading } from './reading.ts';

/**
 * Loads a backup into a server, through a staging directory that holds no more than its budget.
 * What is loaded is remembered in the server itself, so the same command goes on where an earlier
 * one ended, in whatever way.
 * @throws Failure with the first cause.
 */
export async function restore(reading: Reading): Promise<void> {
  const { config } = reading;
  const startedAt = performance.now();
  // 1. Which backup, what of it, and with which tool? Nothing is changed.
  const plan = await planRestore(reading);
  const database = await openDatabase(config.server);
  const awake = keepAwake(database);
  try {
    const { target, state } = onServer(reading, plan, database);
    // 2. Keep other restores into this server away for as long as this one lives.
    const { held, release } = await takeLock(reading);
    try {
      // 3. Go on with what was begun, or see that nothing is in the way.
      const progress = await state.read();
      if (progress === undefined) await requireWay(reading, plan, target);
      else requireRecent(reading, plan, progress);
      if (config.reading.restore.dryRun) return tellPlan(reading, plan, progress);
      await announce(reading, plan, target, progress);
      // 4. Load, in the order that lets nothing get in the way of another.
      const staging = claimStaging(config.staging.directory);
      try {
        const tls = toolTls(plan.myloader, config.server.tls, database.transport);
        await checkMyloader(held, plan, database, staging, tls);
        await (progress === undefined ? state.begin() : state.resume());
        await loadFrom(
          { reading: held, plan, target, state, staging, tls },
          progress?.phase ?? 'schemas',
        );
      } finally {
        staging.clear();
      }
      // 5. Compare, if that was asked for.
      const checked = config.reading.restore.check
        ? await checkRestored(held, plan, target, state)
        : undefined;
      // 6. Only now it is done.
      await state.end();
      tellDone(reading, plan, checked, (performance.now() - startedAt) / 1000);
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

/** Network paths on AWS drop connections that are idle for 350 s, which a large batch may take. */
const KEEP_AWAKE_MILLISECONDS = 60_000;

function keepAwake(database: Database): NodeJS.Timeout {
  // That it is lost is told by the next statement.
  return setInterval(() => database.query('DO 1').catch(() => {}), KEEP_AWAKE_MILLISECONDS).unref();
}

/** The lock, and the reading that ends when it was lost to another restore. */
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

/** Of our own connection to the server, which waits for nobody. */
const LOST =
  /^(?:QUERY_TIMEOUT|PROTOCOL_CONNECTION_LOST|PROTOCOL_ENQUEUE_AFTER_FATAL_ERROR|ECONNRESET|ECONNREFUSED|EPIPE|ETIMEDOUT)$/;

/**
 * What the server or the disk answered to us is the operator's to mend; the rest is a defect of
 * ours.
 */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const { code } = error as { code?: unknown };
  const name = typeof code === 'string' ? code : '';
  const told = `${messageOf(error)}${name === '' ? '' : ` (${name})`}`;
  if (LOST.test(name)) {
    const message = `the connection to the MySQL server was lost: ${told}; the same command goes on`;
    return new Failure('restore', message, { cause: error });
  }
  const what = name.startsWith('ER_')
    ? 'the MySQL server refused a statement'
    : /^E[A-Z]+$/.test(name)
      ? 'the staging directory could not be used'
      : 'unexpected failure in this program';
  return new Failure('restore', `${what}: ${told}`, { cause: error });
}

async function checkMyloader(
  { config, interruption: signal }: Reading,
  { myloader: tool }: RestorePlan,
  database: Database,
  staging: Staging,
  tls: ToolTls,
): Promise<void> {
  const { myloader: binary, searchPath } = config.dump;
  const cipher = await readSessionCipher(database.query);
  const { server } = config;
  const about = { tool, binary, searchPath, server, tls, cipher, staging, signal };
  await checkConnection({ ...about, extraArguments: [] });
  signal.throwIfAborted();
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

/** Going on may empty tables that people have begun to use since. @throws Failure `preflight` */
function requireRecent({ config }: Reading, { location }: RestorePlan, progress: Progress): void {
  if (!isStale(progress) || config.reading.restore.overwrite) return;
  throw new Failure('preflight', [
    `a restore of ${location} into this server was begun at ${progress.startedAt} UTC, last worked at ${progress.workedAt} UTC and not finished (phase ${progress.phase}): going on after more than a day could empty or replace tables that are in use by now`,
    `nothing was changed; --overwrite goes on with it; to begin anew instead, drop the database ${RESTORE_STATE_DATABASE} (which forgets every unfinished restore into this server) and what was loaded`,
  ]);
}

async function announce(
  { config, work }: Reading,
  { location, selection, manifest, myloader }: RestorePlan,
  { database }: Target,
  progress: Progress | undefined,
): Promise<void> {
  const { databases: _, ...count } = counts(selection);
  const into = config.server.socket ?? `${config.server.host}:${config.server.port}`;
  work.emit('started', {
    message: `restoring ${location} into ${into}`,
    detail: {
      location,
      into,
      myloader: myloader.version,
      databases: selection.databases,
      ...count,
    },
  });
  if (progress !== undefined) {
    const message = `going on with the restore begun at ${progress.startedAt} UTC and last worked at ${progress.workedAt} UTC, in phase ${progress.phase}`;
    work.emit('notice', { message });
  }
  const [row] = await database.query('SELECT @@GLOBAL.event_scheduler AS scheduler');
  if (String(row?.scheduler) === 'ON' && selection.post.length > 0)
    work.emit('warning', {
      message: 'event_scheduler is ON: events that are due run as soon as they are created',
    });
  for (const message of unusedAuthority(config.server.tls)) work.emit('warning', { message });
  const partial = describePartial(manifest.narrowedBy);
  if (partial !== undefined) work.emit('warning', { message: `the backup is ${partial}` });
  if (manifest.consistency.lock === 'none')
    work.emit('warning', {
      message: 'the backup was taken without locks: its tables may not agree with each other',
    });
}

function tellPlan(
  { config, work }: Reading,
  plan: RestorePlan,
  progress: Progress | undefined,
): void {
  const lines = describePlan(plan, config, progress);
  const { location, selection, manifest } = plan;
  const files = [
    selection.creates,
    selection.schemas,
    selection.data,
    selection.post,
    selection.views,
    selection.triggers,
  ];
  if (config.reading.json) {
    const document = {
      dryRun: true,
      location,
      ...counts(selection),
      databases: selection.databases,
      narrowedBy: manifest.narrowedBy,
      files: files.flat().map(({ name }) => name),
    };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  }
  work.emit('succeeded', { lines, detail: { dryRun: true, location } });
}

function tellDone(
  { config, work }: Reading,
  { location, selection, manifest }: RestorePlan,
  checked: CheckResult | undefined,
  seconds: number,
): void {
  const count = counts(selection);
  const faults = checked?.faults ?? [];
  const result = {
    ok: faults.length === 0,
    location,
    backupId: manifest.backupId,
    ...count,
    seconds,
    check: checked ?? null,
  };
  if (config.reading.json) process.stdout.write(`${JSON.stringify(result)}\n`);
  const lines = [
    `backup ${manifest.backupId} is restored: ${location}`,
    `  ${formatCount(count.tables ?? 0, 'table')}, ${formatCount(count.views ?? 0, 'view')}, ${formatBytes(count.dataBytes ?? 0)} of rows in ${formatDuration(seconds)}`,
    ...(checked?.lines ?? ['  not compared with the backup: --check would']),
  ];
  if (faults.length > 0) {
    for (const fault of faults) work.emit('fault', fault);
    throw new Failure('verification', [
      ...lines,
      ...faults.slice(0, 10).map(({ key, reason }) => `${key}: ${reason}`),
      `${formatCount(faults.length, 'fault')}: everything was loaded, but it is not all as in the backup`,
    ]);
  }
  work.emit('succeeded', {
    lines,
    detail: { location, ...count, seconds, checked: checked !== undefined },
  });
}
