import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Reading } from '../commands/reading.ts';
import { Failure } from '../errors.ts';
import type { ManifestFile } from '../manifest/schema.ts';
import { renderLoaderOptionFile, writeOptionFile } from '../mydumper/option-file.ts';
import type { ToolTls } from '../mydumper/tls.ts';
import { freeBytes, METADATA, type Staging } from '../staging/directory.ts';
import { type DiskPlan, planBatches, planDisk, threadsOf } from './batches.ts';
import { createDiskBudget } from './disk-budget.ts';
import { loadData } from './load-data.ts';
import { changedColumns, describeChanged } from './losses.ts';
import { type RestorePlan, readText } from './open.ts';
import { type Loader, requireGood, runMyloader } from './run-myloader.ts';
import type { DumpFile } from './selection.ts';
import { openBatch, type Rewrite, removeBatch, type Stage, stagePlain } from './stage.ts';
import { PHASES, type Phase, type RestoreState } from './state.ts';
import {
  createDatabase,
  dropObjects,
  dropTriggers,
  emptyTables,
  readTables,
  type Target,
  tableOf,
} from './target.ts';
import { UnclearTrigger, withoutDatabase } from './trigger-names.ts';

const MIB = 1024 * 1024;
/** The file system's own bookkeeping may take this much of a file system as large as the budget. */
const FREE_SPACE_TOLERANCE_BYTES = 512 * 1024;

export type Phases = {
  readonly reading: Reading;
  readonly plan: RestorePlan;
  readonly target: Target;
  readonly state: RestoreState;
  readonly staging: Staging;
  readonly tls: ToolTls;
};

/**
 * Loads the whole selection, from `phase` on. First come definitions of tables, then rows. Objects
 * that may refer to all of them follow: routines and events, views, triggers. Each phase can be
 * repeated.
 * @throws Failure with the first cause.
 */
export async function loadFrom(phases: Phases, phase: Phase): Promise<void> {
  const { plan, target, state, reading } = phases;
  const { selection } = plan;
  const setup = prepare(phases);
  const isDue = (name: Phase) => PHASES.indexOf(name) >= PHASES.indexOf(phase);
  const enter = async (name: Phase) => {
    reading.interruption.throwIfAborted();
    if (name !== phase) await state.enter(name);
  };
  if (isDue('schemas')) {
    for (const file of selection.creates)
      await createDatabase(target, file, await readText(reading.store, file, plan.manifest));
    if (reading.config.reading.restore.what === 'data') await emptyOwn(phases);
    else await dropObjects(target, selection);
    setup.tell('creating tables');
    await loadPlain(setup, [
      ...(plan.myloader.generation === 'modern' ? selection.creates : []),
      ...selection.schemas,
    ]);
  }
  if (isDue('data')) {
    await enter('data');
    const changed = await changedColumns(target, selection);
    if (changed.length > 0) reading.work.emit('warning', { message: describeChanged(changed) });
    setup.tell('loading rows');
    await loadData({
      loader: setup.loader,
      target,
      state,
      selection,
      store: reading.store,
      budget: setup.stage.budget,
      stage: {
        ...setup.stage,
        guarded: plan.myloader.generation === 'classic',
        batchBytes: setup.disk.batchBytes,
        wantedBytes: setup.disk.wantedBytes,
      },
      threads: threadsOf(setup.disk.loaders, reading.config.dump.threads),
      onLoaded: setup.loaded,
    });
  }
  if (isDue('after')) {
    await enter('after');
    await dropTriggers(target, selection.triggers);
    setup.tell('creating routines and events');
    await loadPlain(setup, selection.post);
    setup.tell('creating views');
    await loadPlain(setup, selection.views);
    setup.tell('creating triggers');
    await loadPlain(
      setup,
      selection.triggers,
      target.as === undefined ? undefined : intoCurrentDatabase,
    );
  }
  await enter('check');
}

/** For rows alone the tables were there: what OVERWRITE lets go is in them. */
async function emptyOwn({ target, plan }: Phases): Promise<void> {
  const tables = new Set(plan.selection.data.map((file) => tableOf(target, file)));
  await emptyTables(target, tables, await readTables(target, plan.selection));
}

type Setup = {
  readonly loader: Loader;
  readonly stage: Stage;
  readonly disk: DiskPlan;
  readonly loaded: (bytes: number) => void;
  readonly tell: (stage: string) => void;
};

function prepare({ reading, plan, staging, tls }: Phases): Setup {
  const { config, store, work, interruption } = reading;
  const { budgetBytes } = config.staging;
  const sizes = plan.selection.data.map(({ dumpedBytes }) => dumpedBytes);
  const disk = planDisk(
    budgetBytes,
    Buffer.byteLength(plan.metadataText),
    config.dump.threads,
    sizes,
  );
  if (disk === undefined)
    throw new Failure(
      'configuration',
      `STAGING_LIMIT_MB=${budgetBytes / MIB}: too small to restore anything`,
    );
  const free = freeBytes(staging.directory);
  if (free + FREE_SPACE_TOLERANCE_BYTES < budgetBytes)
    throw new Failure(
      'preflight',
      `STAGING_LIMIT_MB: the budget is ${budgetBytes / MIB} MiB, ` +
        `but only ${Math.floor(free / MIB)} MiB are free in OUTPUTDIR="${staging.directory}"`,
    );
  const totalBytes = sizes.reduce((sum, bytes) => sum + bytes, 0);
  let doneBytes = 0;
  let stagedBytes = 0;
  let stage = 'starting';
  const sample = () =>
    work.emit('sample', {
      stage,
      doneBytes,
      totalBytes,
      staged: { bytes: stagedBytes, budgetBytes },
    });
  const metadataPath = join(staging.directory, METADATA);
  writeFileSync(metadataPath, plan.metadataText, { mode: 0o600, flag: 'wx' });
  const inUtc = !plan.manifest.mydumper.arguments.includes('--skip-tz-utc');
  const options = renderLoaderOptionFile(config.server, plan.myloader.generation, inUtc, tls);
  writeOptionFile(staging.optionFile, options);
  return {
    loader: {
      config,
      generation: plan.myloader.generation,
      optionFile: staging.optionFile,
      tls,
      work,
      interruption,
    },
    stage: {
      store,
      compression: plan.manifest.compression,
      directory: staging.directory,
      metadataPath,
      budget: createDiskBudget({ budgetBytes, usableBytes: disk.usableBytes }, (used) => {
        stagedBytes = used;
        sample();
      }),
      concurrency: config.uploadConcurrency,
      onFetched: () => {},
    },
    disk,
    loaded: (bytes) => {
      doneBytes += bytes;
      sample();
    },
    tell: (next) => {
      stage = next;
      sample();
    },
  };
}

/** Triggers of a database that is loaded under another name. @throws Failure `restore` */
function intoCurrentDatabase(text: string, file: ManifestFile): string {
  try {
    return withoutDatabase(text, Buffer.from(file.database ?? '').toString('latin1'));
  } catch (error) {
    if (!(error instanceof UnclearTrigger)) throw error;
    throw new Failure('restore', `${file.key}: ${error.message}; it cannot be loaded with --as`, {
      cause: error,
    });
  }
}

/** Loads files that are not rows, batch by batch. */
async function loadPlain(
  { loader, stage, disk }: Setup,
  files: readonly DumpFile[],
  rewrite?: Rewrite,
): Promise<void> {
  for (const batch of planBatches(files, disk)) {
    const wanted = batch.kind === 'whole' ? batch.files : [batch.file];
    const directory = openBatch(stage);
    const taken = await stagePlain(stage, directory, wanted, rewrite);
    requireGood(await runMyloader(loader, directory, 1));
    removeBatch(directory);
    stage.budget.give(taken);
  }
}
