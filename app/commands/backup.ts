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
import { type Preflight, preflight } from './preflight.ts';
import { prepareStaging } from './prepare-staging.ts';
import { createRunState, createTotals, type RunState } from './run-state.ts';
import { writeManifest } from './write-manifest.ts';

/**
 * The number of attempts for a dump that fails by chance. Each attempt starts over, in a folder of
 * its own.
 */
const MAXIMUM_RUNS = 3;

const FOLDER_TAKEN =
  'is taken, by another run or by a write of this one that S3 did not answer; ' +
  'this run takes the next second';

/**
 * Makes one backup and reports its progress as events. `interruption` (a Failure of kind
 * `interrupted`) ends it early. Returns after the manifest is written: only the manifest makes it a
 * backup. Calls `onExists` at that moment.
 * @throws Failure with the first cause. Then no manifest, no mydumper and no multipart upload is
 *   left.
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
      if (!failure.retryable || count === MAXIMUM_RUNS || interruption.aborted) {
        const seconds = (Date.now() - startedAt) / 1000;
        events.emit('failed', {
          reason: messageOf(failure),
          exitCode: exitCodeOf(failure),
          seconds,
        });
        throw failure;
      }
      const when = failure.retryAfterSeconds === 0 ? '' : ` in ${failure.retryAfterSeconds} s`;
      events.emit('warning', { message: `${messageOf(failure)}; retrying${when}` });
      await sleep(failure.retryAfterSeconds * 1000, undefined, { signal: interruption }).catch(
        () => {},
      );
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
  /**
   * The write of the manifest has started. Aborting it would only hide whether the backup exists.
   */
  let manifestWriteStarted = false;
  run.onFailure((failure) => {
    if (!manifestWriteStarted) store.interrupt(failure);
  });
  try {
    // 1. Check everything before anything is started or changed.
    const found = await run.orFail(
      preflight(config, store, folderOf(config, new Date()), run.signal),
    );
    // 2. Keep other runs of this source away until this one ends.
    const warn = (message: string) => events.emit('warning', { message });
    const mark = newRunMark();
    const bound = { mark, identity: found.identity };
    const exclusive = backupOf(config.source);
    const lock = await run.orFail(takeRunLock(config.server, exclusive, warn, run.fail, { bound }));
    try {
      // 3. Take the staging directory, and check from there that mydumper can connect too.
      const { staging, punching, plan } = prepareStaging(config, found.mydumper);
      try {
        await run.orFail(checkMydumper(config, found, staging, run.signal));
        // 4. Claim a folder in the bucket. From now on no other run can claim it.
        const onTaken = (taken: string) =>
          events.emit('notice', { message: `${taken} ${FOLDER_TAKEN}` });
        const { startedAt, backupId, folder, claim } = await run.orFail(
          claimFolder(config, store, run.signal, onTaken),
        );
        run.uploaded(claim.bytes);
        const location = `s3://${config.store.bucket}/${folder}`;
        announce({ config, found, staging, plan, backupId, location, events });
        // 5. Dump, ship during the dump, and judge the result.
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
        // 6. Write the manifest. Only now does the backup exist.
        const toolVersion = TOOL_VERSION;
        const times = { startedAt, finishedAt: new Date() };
        const about = { config, toolVersion, backupId, claim };
        const manifest = buildManifest({ ...found, ...dump, ...times, ...about });
        const body = renderManifest(manifest, folder);
        manifestWriteStarted = true;
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
 * After a failed upload, keeps the files that S3 has not acknowledged. Clears staging in all other
 * cases.
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
