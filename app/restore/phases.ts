import type { Reading } from '../commands/reading.ts';
import { loadData } from './load-data.ts';
import { loadDefinitions } from './load-definitions.ts';
import { type RestorePlan, readText } from './open.ts';
import type { DumpFile } from './selection.ts';
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

export type Phases = {
  readonly reading: Reading;
  readonly plan: RestorePlan;
  readonly target: Target;
  readonly state: RestoreState;
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
  const progress = createProgress(phases);
  const isDue = (name: Phase) => PHASES.indexOf(name) >= PHASES.indexOf(phase);
  const enter = async (name: Phase) => {
    reading.interruption.throwIfAborted();
    if (name !== phase) await state.enter(name);
  };
  const define = (files: readonly DumpFile[]) => loadDefinitions(reading, plan, target, files);
  if (isDue('schemas')) {
    for (const file of selection.creates)
      await createDatabase(target, file, await readText(reading.store, file, plan.manifest));
    if (reading.config.reading.restore.what === 'data') await emptyOwn(phases);
    else await dropObjects(target, selection);
    progress.tell('creating tables');
    await define(selection.schemas);
  }
  if (isDue('data')) {
    await enter('data');
    progress.tell('loading rows');
    await loadData({ reading, plan, target, state, onLoaded: progress.loaded });
  }
  if (isDue('after')) {
    await enter('after');
    await dropTriggers(target, selection.triggers);
    if (phase === 'after') await makePlaceholders(phases, define);
    progress.tell('creating routines and events');
    await define(selection.post);
    progress.tell('creating views');
    await define(selection.views);
    progress.tell('creating triggers');
    await define(selection.triggers);
  }
  await enter('check');
}

/**
 * An attempt that ended between dropping a view's placeholder and creating the view left neither,
 * and views of that view could not be created.
 */
async function makePlaceholders(
  { plan, target }: Phases,
  define: (files: readonly DumpFile[]) => Promise<void>,
): Promise<void> {
  const { selection } = plan;
  const views = new Set(selection.views.map((file) => tableOf(target, file)));
  const schemas = selection.schemas.filter((file) => views.has(tableOf(target, file)));
  await dropObjects(target, { ...selection, schemas });
  await define(schemas);
}

/** For rows alone the tables were there: what OVERWRITE lets go is in them. */
async function emptyOwn({ target, plan }: Phases): Promise<void> {
  const tables = new Set(plan.selection.data.map((file) => tableOf(target, file)));
  await emptyTables(target, tables, await readTables(target, plan.selection));
}

function createProgress({ reading: { work }, plan }: Phases): {
  readonly loaded: (bytes: number) => void;
  readonly tell: (stage: string) => void;
} {
  const totalBytes = plan.selection.data.reduce((sum, { dumpedBytes }) => sum + dumpedBytes, 0);
  let doneBytes = 0;
  let stage = 'starting';
  const sample = () => work.emit('sample', { stage, doneBytes, totalBytes });
  return {
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
