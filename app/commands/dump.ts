import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from '../config.ts';
import { type LockWaitWatch, watchLockWait } from '../database/lock-wait.ts';
import { markSession, type RunMark } from '../database/run-mark.ts';
import { type StandstillWatch, watchStandstill } from '../database/standstill.ts';
import { Failure } from '../errors.ts';
import type { Events } from '../events.ts';
import type { BudgetPlan } from '../governor/feasibility.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { classicLayout, modernLayout } from '../manifest/completeness.ts';
import { judgeDump } from '../manifest/judge.ts';
import { type DumpPlan, mydumperArguments } from '../mydumper/arguments.ts';
import { watchForDeadlock } from '../mydumper/deadlock.ts';
import { type DumpMetadata, parseMetadata } from '../mydumper/metadata.ts';
import { readMetadataTables } from '../mydumper/metadata-tables.ts';
import { renderOptionFile, writeOptionFile } from '../mydumper/option-file.ts';
import {
  lowerPriority,
  type MydumperExit,
  type MydumperProcess,
  startMydumper,
} from '../mydumper/process.ts';
import type { ShippedFile } from '../shipping/shipper.ts';
import type { Staging } from '../staging/directory.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { within } from '../within.ts';
import { requireAllShipped, requireComplete } from './completeness.ts';
import { createDumpLog, inItsOwnWords } from './dump-log.ts';
import { type DumpStall, watchForDumpStall } from './dump-stall.ts';
import type { Preflight } from './preflight.ts';
import type { RunState } from './run-state.ts';
import { startShipping } from './start-shipping.ts';

/** A dump that was judged good and whose every file S3 holds. */
export type ShippedDump = {
  readonly files: readonly ShippedFile[];
  readonly metadata: DumpMetadata;
  readonly mydumperArguments: readonly string[];
  readonly lockedSeconds: number | undefined;
  readonly stats: WatchStats;
};

export type DumpContext = {
  readonly config: Config;
  readonly found: Preflight;
  /** Held by the connection with the run's lock, in the server to be dumped. */
  readonly mark: RunMark;
  readonly staging: Staging;
  /** Files can be shipped while they grow. */
  readonly punching: boolean;
  readonly plan: BudgetPlan;
  readonly store: ObjectStore;
  readonly folder: string;
  readonly run: RunState;
  readonly events: Events;
};

const NO_GATE =
  'the kernel has no directory notification (fs.dir-notify-enable), so the budget is kept by looking ahead alone';

const NO_PUNCHING =
  'the file system does not free parts of files, so files are shipped when mydumper has finished them';
const NO_POSITION =
  'mydumper recorded no position in the binary log although the server has one; ' +
  'the backup is of no use as a start for replication or point-in-time recovery';
/** After a lock that was not to be had; whoever runs long statements has some peace meanwhile. */
const LOCK_AGAIN_SECONDS = 60;

/** After SIGKILL only a disk or a network file system that hangs keeps a process. */
const LONGEST_DEATH_MILLISECONDS = 10_000;

/** `metadata` grows with the number of tables in 1.x; more than this is not it. */
const LARGEST_METADATA_BYTES = 256 * 1024 * 1024;

/**
 * Runs mydumper with the governor over it and ships what it finishes. Whatever happens, when this
 * returns or throws mydumper is gone, no upload is under way and the watching thread has ended.
 * @throws Failure with the first cause.
 */
export async function runDump(context: DumpContext): Promise<ShippedDump> {
  const { config, found, mark, staging, run, events } = context;
  const argv = mydumperArguments(planOf(context));
  const { generation } = found.mydumper;
  const { session } = found.inventory;
  const options = renderOptionFile(
    config.server,
    session,
    generation,
    found.tls,
    markSession(mark),
  );
  writeOptionFile(staging.optionFile, options);

  let stall: DumpStall | undefined;
  let holdsLocks = found.lock.plan === 'ftwrl' || found.lock.plan === 'lock-all';
  const { watch, hasher, shipper } = startShipping(context, holdsLocks, (stats) =>
    stall?.wrote(stats),
  );
  let mydumper: MydumperProcess | undefined;
  let lockWait: LockWaitWatch | undefined;
  let standstill: StandstillWatch | undefined;
  const log = createDumpLog(
    run,
    events,
    found.inventory.databases,
    found.lock.ignoredErrors,
    () => {
      holdsLocks = false;
      watch.locksReleased();
      void lockWait?.end();
      if (mydumper !== undefined) lowerPriority(mydumper.pid);
    },
  );
  let endDeadlockWatch = () => {};
  try {
    const { gate } = await run.orFail(watch.ready);
    if (!gate) events.emit('notice', { message: NO_GATE });
    if (!context.punching) events.emit('notice', { message: NO_PUNCHING });
    if (holdsLocks) lockWait = await run.orFail(watchLocks(context));
    standstill = await run.orFail(watchForStandstill(context));
    mydumper = await startMydumper(config.dump.mydumper, argv, config.dump.searchPath, (event) => {
      log.onEvent(event);
      stall?.said(event);
    });
    stall = watchForDumpStall(context, mydumper.pid);
    run.onFailure(mydumper.kill);
    if (run.hasFailed()) mydumper.kill();
    watch.govern(mydumper.pid);
    if (!holdsLocks) lowerPriority(mydumper.pid);
    endDeadlockWatch = watchDeadlocks(context, mydumper.pid);

    const exit = await run.orFail(mydumper.exited);
    endDeadlockWatch();
    stall.end();
    const text = readMetadata(staging.directory);
    const metadata = text === undefined ? undefined : parseMetadata(text);
    const { errors, lastLines } = log;
    const verdict = judgeDump({
      exit,
      errors,
      lastComplaint: log.lastComplaint(),
      lastLines,
      metadata,
    });
    if (!verdict.good) shipper.stop();
    // The watching thread speaks first: if it had to end mydumper, that is the cause.
    await run.orFail(watch.drain());
    if (!verdict.good)
      throw new Failure('dump', verdict.fault, { worthAnotherRun: isStartupCrash(context, exit) });

    if (verdict.metadata.binlog === undefined && found.lock.positionUnavailable === undefined)
      events.emit('warning', { message: NO_POSITION });

    const stats = watch.stats();
    events.emit('dumpFinished', { seconds: log.seconds(), leftToShipBytes: stats.stagedBytes });
    await run.orFail(shipper.idle());
    requireAllShipped(shipper.shipped(), stats);
    const layout =
      found.mydumper.generation === 'classic'
        ? classicLayout(log.emptyTables)
        : modernLayout(readMetadataTables(text ?? ''));
    await run.orFail(requireComplete(config, mark, found.inventory, shipper.shipped(), layout));
    return {
      files: shipper.shipped(),
      metadata: verdict.metadata,
      mydumperArguments: argv,
      lockedSeconds: log.lockedSeconds(),
      stats,
    };
  } catch (error) {
    const cause = run.firstCause(error);
    run.fail(cause); // ends mydumper and cuts uploads
    if (mydumper !== undefined) await within(LONGEST_DEATH_MILLISECONDS, mydumper.exited);
    throw inItsOwnWords(cause, log.errors);
  } finally {
    endDeadlockWatch();
    stall?.end();
    shipper.stop();
    if (mydumper !== undefined) await within(LONGEST_DEATH_MILLISECONDS, mydumper.exited);
    await lockWait?.end();
    await standstill?.end();
    await shipper.idle();
    await hasher.end();
    await watch.end();
  }
}

/**
 * 0.10 that is given several databases dumps some before it has listed all, and has been seen to
 * crash of it: twice in some 500 runs on a busy machine.
 */
function isStartupCrash({ found }: DumpContext, { signal }: MydumperExit): boolean {
  const { mydumper, inventory } = found;
  return (
    mydumper.generation === 'classic' && inventory.databases.length > 1 && signal === 'SIGSEGV'
  );
}

function planOf({ config, found, staging, plan }: DumpContext): DumpPlan {
  return {
    generation: found.mydumper.generation,
    directory: staging.directory,
    optionFile: staging.optionFile,
    threads: plan.threads,
    chunkMiB: plan.chunkMiB,
    statementBytes: plan.statementBytes,
    databases: config.dump.databases,
    contents: found.inventory,
    lock: found.lock.plan,
    engines: found.inventory.engines,
    serverVersion: found.inventory.productHint,
    ignoredErrors: found.lock.ignoredErrors,
    extraArguments: config.dump.extraArguments,
    server: config.server,
    tls: found.tls,
  };
}

/**
 * Until mydumper has its locks: a statement that runs long makes it wait, and everybody else behind
 * it.
 */
function watchLocks({ config, mark, run }: DumpContext): Promise<LockWaitWatch> {
  return watchLockWait(config.server, mark, ({ seconds, behind }) => {
    const message = `mydumper waited ${Math.round(seconds)} s for its lock and other writers waited behind it; it was taken back. It waited for ${behind}; make backups when no long statement runs, or set LOCK_MODE`;
    run.fail(
      new Failure('dump', message, { worthAnotherRun: true, waitSeconds: LOCK_AGAIN_SECONDS }),
    );
  });
}

/**
 * A deadlock that the server does not see: it would last for as long as the server lets statements
 * wait.
 */
function watchForStandstill({ config, mark, run }: DumpContext): Promise<StandstillWatch> {
  return watchStandstill(config.server, mark, (seconds) => {
    const message =
      `mydumper and another session waited ${Math.round(seconds)} s for each other's tables ` +
      '(LOCK TABLES, RENAME TABLE and other DDL over several tables cause it); the dump was given up';
    run.fail(
      new Failure('dump', message, { worthAnotherRun: true, waitSeconds: LOCK_AGAIN_SECONDS }),
    );
  });
}

/** Only 0.10 is known to do this. */
function watchDeadlocks({ found, run }: DumpContext, pid: number): () => void {
  if (found.mydumper.generation !== 'classic') return () => {};
  return watchForDeadlock(pid, () => {
    run.fail(
      new Failure('dump', 'mydumper hangs: all its threads wait for each other', {
        worthAnotherRun: true,
      }),
    );
  });
}

function readMetadata(directory: string): string | undefined {
  const path = join(directory, 'metadata');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > LARGEST_METADATA_BYTES) return undefined;
  return readFileSync(path, 'utf8');
}
