import { setTimeout as sleep } from 'node:timers/promises';
import { type Config, sourceNotice } from '../config.ts';
import { MANIFEST_NAME } from '../contract.ts';
import { backupOf, takeRunLock } from '../database/run-lock.ts';
import { newRunMark } from '../database/run-mark.ts';
import { exitCodeOf, type Failure, messageOf } from '../errors.ts';
import type { BackupSummary, Events } from '../events.ts';
import type { BudgetPlan } from '../governor/feasibility.ts';
import { buildManifest } from '../manifest/build.ts';
import { renderManifest } from '../manifest/render.ts';
import type { Manifest } from '../manifest/schema.ts';
import { checkConnection } from '../mydumper/connection-check.ts';
import type { Staging } from '../staging/directory.ts';
import { openS3 } from '../storage/s3.ts';
import { TOOL_VERSION } from '../tool-version.ts';
import { claimFolder, folderOf } from './claim-folder.ts';
import { runDump } from './dump.ts';
import { type Preflight, preflight, prepareStaging } from './preflight.ts';
import { createRunState, createTotals, type RunState } from './run-state.ts';
import { writeManifest } from './write-manifest.ts';

/**
 * A dump that failed by mydumper's bad luck is made anew, from the start and in a folder of its
 * own, this often in all.
 */
const MAXIMUM_RUNS = 3;

const FOLDER_TAKEN =
  'is taken, by another run or by a write of this one that S3 did not answer; ' +
  'this run takes the next second';

/**
 * Makes one backup. Events tell what happens; `interruption` (a Failure of kind `interrupted`) ends
 * it early. Returns after the manifest is written, which is the only thing that makes it a backup;
 * `onExists` is called at that moment.
 * @throws Failure with the first cause; then there is no manifest, no mydumper and no multipart
 *   upload left.
 */
export async function backup(
  config: Config,
  events: Events,
  interruption: AbortSignal,
  onExists: () => void,
): Promise<BackupSummary> {
  const startedAt = Date.now();
  const totals = createTotals();
  for (let count = 1; ; count += 1) {
    const run = createRunState(config.staging.budgetBytes, interruption, events, totals);
    try {
      const summary = await makeBackup(config, events, run, onExists);
      run.sample('finishing');
      events.emit('succeeded', summary);
      return summary;
    } catch (error) {
      const failure = run.firstCause(error);
      run.sample('finishing');
      if (!failure.worthAnotherRun || count === MAXIMUM_RUNS || interruption.aborted) {
        const seconds = (Date.now() - startedAt) / 1000;
        events.emit('failed', {
          reason: messageOf(failure),
          exitCode: exitCodeOf(failure),
          seconds,
        });
        throw failure;
      }
      const when = failure.waitSeconds === 0 ? '' : ` in ${failure.waitSeconds} s`;
      events.emit('warning', { message: `${messageOf(failure)}; starting anew${when}` });
      await sleep(failure.waitSeconds * 1000, undefined, { signal: interruption }).catch(() => {});
    }
  }
}

async function makeBackup(
  config: Config,
  events: Events,
  run: RunState,
  onExists: () => void,
): Promise<BackupSummary> {
  const store = openS3(config.store, config.uploadConcurrency + config.dump.threads, run.retried);
  /** The manifest is being written: cutting it off would only hide whether the backup was made. */
  let beyondRecall = false;
  run.onFailure((failure) => {
    if (!beyondRecall) store.interrupt(failure);
  });
  try {
    // 1. Look before anything is started or changed.
    const found = await run.orFail(
      preflight(config, store, folderOf(config, new Date()), run.signal),
    );
    // 2. Keep other runs of this source away for as long as this one lives.
    const warn = (message: string) => events.emit('warning', { message });
    const mark = newRunMark();
    const bound = { mark, identity: found.identity };
    const exclusive = backupOf(config.source);
    const lock = await run.orFail(takeRunLock(config.server, exclusive, warn, run.fail, { bound }));
    try {
      // 3. Take the staging directory, and see from there that mydumper can connect too.
      const { staging, punching, plan } = prepareStaging(config, found.mydumper);
      try {
        await run.orFail(checkMydumper(config, found, staging, run.signal));
        // 4. Take a folder in the bucket, which no other run can take from now on.
        const onTaken = (taken: string) =>
          events.emit('notice', { message: `${taken} ${FOLDER_TAKEN}` });
        const { startedAt, backupId, folder, claim } = await run.orFail(
          claimFolder(config, store, run.signal, onTaken),
        );
        run.uploaded(claim.bytes);
        const location = `s3://${config.store.bucket}/${folder}`;
        announce({ config, found, staging, plan, backupId, location, events });
        // 5. Dump, ship while it runs, and judge what was left.
        const dump = await runDump({
          config,
          found,
          mark,
          staging,
          punching,
          plan,
          store,
          folder,
          run,
          events,
        });
        // 6. Only now does the backup exist.
        const toolVersion = TOOL_VERSION;
        const times = { startedAt, finishedAt: new Date() };
        const about = { config, toolVersion, backupId, claim };
        const manifest = buildManifest({ ...found, ...dump, ...times, ...about });
        const body = renderManifest(manifest, folder);
        beyondRecall = true;
        const key = `${folder}${MANIFEST_NAME}`;
        const stored = await writeManifest(store, run, {
          key,
          location: `${location}${MANIFEST_NAME}`,
          body,
        });
        onExists();
        run.uploaded(stored.bytes);
        leave(staging, undefined, events);
        return summaryOf(manifest, location, run.retries());
      } catch (error) {
        leave(staging, run.firstCause(error), events);
        throw error;
      }
    } finally {
      await lock.release();
    }
  } finally {
    store.close();
  }
}

function checkMydumper(
  config: Config,
  found: Preflight,
  staging: Staging,
  signal: AbortSignal,
): Promise<void> {
  const { mydumper: binary, searchPath, extraArguments } = config.dump;
  const { mydumper: tool, tls, cipher } = found;
  const { server } = config;
  return checkConnection({
    tool,
    binary,
    searchPath,
    server,
    tls,
    cipher,
    extraArguments,
    staging,
    signal,
  });
}

function announce(about: {
  config: Config;
  found: Awaited<ReturnType<typeof preflight>>;
  staging: Staging;
  plan: BudgetPlan;
  backupId: string;
  location: string;
  events: Events;
}): void {
  const { config, found, staging, events } = about;
  if (staging.clearedBytes > 0) {
    const detail = { bytes: staging.clearedBytes };
    events.emit('notice', { message: 'cleared leftovers of an earlier run', detail });
  }
  events.emit('started', {
    backupId: about.backupId,
    source: config.source,
    location: about.location,
    server: `${found.inventory.vendor} ${found.inventory.version}`,
    mydumper: found.mydumper.version,
    budgetBytes: config.staging.budgetBytes,
    estimatedBytes: found.inventory.estimatedBytes,
    lockMode: found.lock.plan,
    consistency: found.lock.consistency,
  });
  const notice = sourceNotice(config);
  if (notice !== undefined) events.emit('notice', { message: notice });
  for (const message of about.plan.notes) events.emit('notice', { message });
  for (const message of found.warnings) events.emit('warning', { message });
}

function summaryOf(manifest: Manifest, location: string, uploadRetries: number): BackupSummary {
  const { backupId, totals, staging, startedAt } = manifest;
  return {
    backupId,
    location,
    ...totals,
    seconds: (Date.now() - Date.parse(startedAt)) / 1000,
    pauses: staging.pauses,
    pausedSeconds: staging.pausedSeconds,
    peakStagedBytes: staging.peakStagedBytes,
    budgetBytes: staging.budgetBytes,
    uploadRetries,
  };
}

/**
 * After a failed upload what S3 has not acknowledged stays where it is; in all other cases staging
 * is cleared.
 */
function leave(staging: Staging, failure: Failure | undefined, events: Events): void {
  try {
    if (failure?.kind === 'upload') {
      staging.keepForInspection();
      const message =
        'files that S3 has not acknowledged were left in staging; the next run clears them';
      events.emit('notice', { message, detail: { directory: staging.directory } });
    } else staging.clear();
  } catch (error) {
    events.emit('warning', { message: `staging could not be cleared: ${messageOf(error)}` });
  }
}
