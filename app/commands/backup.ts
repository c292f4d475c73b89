import type { Config } from '../config.ts';
import { MANIFEST_NAME } from '../contract.ts';
import { takeRunLock } from '../database/run-lock.ts';
import { exitCodeOf, Failure, messageOf } from '../errors.ts';
import type { BackupSummary, Events } from '../events.ts';
import { backupIdOf, buildManifest } from '../manifest/build.ts';
import { manifestSchema } from '../manifest/schema.ts';
import type { Staging } from '../staging/directory.ts';
import { openS3 } from '../storage/s3.ts';
import { TOOL_VERSION } from '../tool-version.ts';
import { runDump } from './dump.ts';
import { preflight, prepareStaging } from './preflight.ts';
import { createRunState, type RunState } from './run-state.ts';

/**
 * Makes one backup. Events tell what happens; `interruption` (a Failure of kind `interrupted`) ends it early.
 * Returns when the manifest is written, which is the only thing that makes it a backup.
 * @throws Failure with the first cause; then there is no manifest, no mydumper and no multipart upload left.
 */
export async function backup(
  config: Config,
  events: Events,
  interruption: AbortSignal,
): Promise<BackupSummary> {
  const startedAt = new Date();
  const backupId = backupIdOf(startedAt);
  const folder = `${[config.prefix, config.source, backupId].filter((part) => part !== '').join('/')}/`;
  const run = createRunState(config.staging.budgetBytes, interruption, events);
  const store = openS3(config.store, config.uploadConcurrency, run.retried);
  run.onFailure((failure) => store.interrupt(failure));

  try {
    // 1. Look before anything is started or changed.
    const found = await run.orFail(preflight(config, store, folder));
    // 2. Keep other runs of this source away for as long as this one lives.
    const lock = await run.orFail(
      takeRunLock(config.server, config.source, (message) => events.emit('warning', { message }), run.fail),
    );
    try {
      // 3. Take the staging directory.
      const staging = prepareStaging(config);
      try {
        if (staging.clearedBytes > 0) {
          events.emit('notice', {
            message: 'cleared leftovers of an earlier run',
            detail: { bytes: staging.clearedBytes },
          });
        }
        events.emit('started', {
          backupId,
          source: config.source,
          location: `s3://${config.store.bucket}/${folder}`,
          server: `${found.inventory.vendor} ${found.inventory.version}`,
          mydumper: found.mydumper.version,
          budgetBytes: config.staging.budgetBytes,
          estimatedBytes: found.inventory.estimatedBytes,
          lockMode: found.lock.plan,
          consistency: found.lock.consistency,
        });
        // 4. Dump, ship while it runs, and judge what was left.
        const dump = await runDump({ config, found, staging, store, folder, run, events });
        // 5. Only now does the backup exist.
        const manifest = manifestSchema.parse(
          buildManifest({
            ...dump,
            config,
            toolVersion: TOOL_VERSION,
            backupId,
            startedAt,
            finishedAt: new Date(),
            ...found,
          }),
        );
        const body = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
        const stored = await run.orFail(store.create(`${folder}${MANIFEST_NAME}`, body, 'application/json'));
        run.uploaded(stored.bytes);
        staging.clear();
        return finish(manifest, run, events, {
          backupId,
          location: `s3://${config.store.bucket}/${folder}`,
          startedAt,
        });
      } catch (error) {
        leave(staging, error, events);
        throw error;
      }
    } finally {
      await lock.release();
    }
  } catch (error) {
    const failure = run.firstCause(error);
    run.sample('finishing');
    events.emit('failed', {
      reason: messageOf(failure),
      exitCode: exitCodeOf(failure),
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    });
    throw failure;
  } finally {
    store.close();
  }
}

function finish(
  manifest: ReturnType<typeof manifestSchema.parse>,
  run: RunState,
  events: Events,
  about: { backupId: string; location: string; startedAt: Date },
): BackupSummary {
  const { totals, staging } = manifest;
  const summary: BackupSummary = {
    backupId: about.backupId,
    location: about.location,
    files: totals.files,
    dumpedBytes: totals.dumpedBytes,
    storedBytes: totals.storedBytes,
    seconds: (Date.now() - about.startedAt.getTime()) / 1000,
    pauses: staging.pauses,
    pausedSeconds: staging.pausedSeconds,
    peakStagedBytes: staging.peakStagedBytes,
    budgetBytes: staging.budgetBytes,
    uploadRetries: run.retries(),
  };
  run.sample('finishing');
  events.emit('succeeded', summary);
  return summary;
}

/** After a failed upload what S3 has not acknowledged stays where it is; in all other cases staging is cleared. */
function leave(staging: Staging, error: unknown, events: Events): void {
  try {
    if (error instanceof Failure && error.kind === 'upload') {
      staging.keepForInspection();
      events.emit('notice', {
        message: 'files that S3 has not acknowledged were left in staging; the next run clears them',
        detail: { directory: staging.directory },
      });
    } else staging.clear();
  } catch (cause) {
    events.emit('warning', { message: `staging could not be cleared: ${messageOf(cause)}` });
  }
}
