import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockWaitWatch } from '../database/lock-wait.ts';
import type { ProcessWatch } from '../database/process-watch.ts';
import { markSession } from '../database/run-mark.ts';
import { Failure } from '../errors.ts';
import type { WatchStats } from '../governor/protocol.ts';
import { classicLayout, modernLayout } from '../manifest/completeness.ts';
import { judgeDump } from '../manifest/judge.ts';
import { programDifferences } from '../manifest/program-differences.ts';
import { type DumpPlan, mydumperArguments } from '../mydumper/arguments.ts';
import { narrowsTheDump } from '../mydumper/extra-arguments.ts';
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
import { within } from '../within.ts';
import { requireAllShipped, requireComplete } from './completeness.ts';
import type { DumpContext } from './dump-context.ts';
import { createDumpLog, withMydumperError } from './dump-log.ts';
import { type DumpStall, watchForDumpStall } from './dump-stall.ts';
import { watchDeadlocks, watchForStandstill, watchLocks } from './dump-watches.ts';
import { startShipping } from './start-shipping.ts';

/** A dump that was judged good, with all its files in S3. */
export type ShippedDump = {
  readonly files: readonly ShippedFile[];
  readonly metadata: DumpMetadata;
  readonly mydumperArguments: readonly string[];
  readonly lockedSeconds: number | undefined;
  readonly stats: WatchStats;
  /** How the programs in the files differ from those that preflight listed. */
  readonly programDifferences: readonly string[];
};

const NO_GATE =
  'the kernel has no directory notification (fs.dir-notify-enable), ' +
  'so the budget is kept by looking ahead alone';

const NO_PUNCHING =
  'the file system does not free parts of files, ' +
  'so files are shipped when mydumper has finished them';
const NO_POSITION =
  'mydumper recorded no position in the binary log although the server has one; ' +
  'the backup is of no use as a start for replication or point-in-time recovery';
/** After SIGKILL a process remains only while a disk or a network file system hangs. */
const LONGEST_DEATH_MILLISECONDS = 10_000;

/**
 * `metadata` grows with the number of tables in 1.x. A larger file is not `metadata` of mydumper.
 */
const LARGEST_METADATA_BYTES = 256 * 1024 * 1024;

/**
 * Runs mydumper under the governor and ships the files that it finishes. When this returns or
 * throws, mydumper and the watching thread have ended and no upload is running.
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
  let standstill: ProcessWatch | undefined;
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
    // The watching thread reports first: when it had to end mydumper, that is the cause.
    await run.orFail(watch.drain());
    if (!verdict.good)
      throw new Failure('dump', verdict.fault, { retryable: isStartupCrash(context, exit) });

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
    const differences = programDifferences(
      found.programs.list,
      shipper.shipped(),
      found.inventory.databases,
      narrowsTheDump(config.dump.extraArguments),
    );
    for (const message of differences) events.emit('warning', { message });
    return {
      files: shipper.shipped(),
      metadata: verdict.metadata,
      mydumperArguments: argv,
      lockedSeconds: log.lockedSeconds(),
      stats,
      programDifferences: differences,
    };
  } catch (error) {
    const cause = run.firstCause(error);
    run.fail(cause); // ends mydumper and cuts uploads
    if (mydumper !== undefined) await within(LONGEST_DEATH_MILLISECONDS, mydumper.exited);
    throw withMydumperError(cause, log.errors);
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
 * With several databases 0.10 starts to dump before it has listed all. That has crashed it: twice
 * in some 500 runs on a busy machine.
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
    mostColumns: found.inventory.mostColumns,
    serverVersion: found.inventory.productHint,
    ignoredErrors: found.lock.ignoredErrors,
    extraArguments: config.dump.extraArguments,
    server: config.server,
    tls: found.tls,
  };
}

function readMetadata(directory: string): string | undefined {
  const path = join(directory, 'metadata');
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile() || stat.size > LARGEST_METADATA_BYTES) return undefined;
  return readFileSync(path, 'utf8');
}
