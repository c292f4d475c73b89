import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../errors.ts';
import { forEach } from '../for-each.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { planBatches } from './batches.ts';
import type { DiskBudget } from './disk-budget.ts';
import { loadedBytes, type Piece, planResume } from './pieces.ts';
import { type Loader, requireGood, runMyloader } from './run-myloader.ts';
import type { DumpFile, Selection } from './selection.ts';
import { type DataStage, removeBatch, type StagedBatch, stageWhole } from './stage.ts';
import { stageCut } from './stage-cut.ts';
import type { RestoreState } from './state.ts';
import { emptyTables, readTables, type Target, tableOf } from './target.ts';
import { createTurns, type Turns } from './turns.ts';

/**
 * Rows after a deadlock of myloader's threads are loaded again. Fewer threads load them then, and
 * no other loader runs beside them.
 */
const TRIES = 4;

export type DataPhase = {
  readonly loader: Loader;
  readonly target: Target;
  readonly state: RestoreState;
  readonly selection: Selection;
  readonly store: BackupStore;
  readonly budget: DiskBudget;
  readonly stage: Omit<DataStage, 'threads' | 'nextId' | 'isTransactional' | 'loadedOf'>;
  /** Of each loader that may run beside the others. */
  readonly threads: readonly number[];
  /** Bytes of the dump that are in the server. */
  readonly onLoaded: (bytes: number) => void;
};

/** What an earlier run left to do, after what it half did was taken back. */
type Rest = {
  readonly files: readonly DumpFile[];
  readonly loaded: ReadonlyMap<string, readonly Piece[]>;
};

/**
 * Loads all rows that are not loaded yet. Several loaders run side by side, each with its own
 * batch, while the next batch is fetched. Each file, or piece of a file, is loaded once, however
 * often the restore is interrupted.
 * @throws Failure with the first cause; no loader runs then.
 */
export async function loadData(phase: DataPhase): Promise<void> {
  const { target, state, selection, budget, store, threads } = phase;
  const there = await readTables(target, selection);
  const rest = await takeUp(phase);
  let id = (await state.nextId()) - 1;
  const stage: DataStage = {
    ...phase.stage,
    threads: Math.max(...threads),
    nextId: () => {
      id += 1;
      return id;
    },
    isTransactional: (file) => there.get(tableOf(target, file))?.transactional ?? false,
    loadedOf: (file) => rest.loaded.get(file.name) ?? [],
  };
  const cut = new AbortController();
  const interruption = AbortSignal.any([phase.loader.interruption, cut.signal]);
  const loading = { ...phase, loader: { ...phase.loader, interruption }, turns: createTurns() };
  const idle = [...threads];
  const batches = ahead(stageAll(stage, rest.files));
  try {
    await forEach(batches, threads.length, async ({ batch, takenBytes }) => {
      const own = idle.pop() ?? 1;
      try {
        await loadBatch(loading, batch, own);
        removeBatch(batch.directory);
        budget.give(takenBytes);
      } catch (error) {
        cut.abort(error);
        store.interrupt(error instanceof Error ? error : new Error(String(error)));
        budget.end(error);
        throw error;
      } finally {
        idle.push(own);
        budget.released();
      }
    });
  } finally {
    await batches.return();
  }
}

/**
 * Requests one item more than the caller has taken. All requests have settled when the generator
 * has ended, however it ends.
 */
async function* ahead<T>(items: AsyncGenerator<T, void>): AsyncGenerator<T, void, void> {
  let next = items.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      next = items.next();
      // Told when it is waited for.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await items.return();
  }
}

async function takeUp({ state, selection, target, onLoaded }: DataPhase): Promise<Rest> {
  const byName = new Map(selection.data.map((file) => [file.name, file]));
  const pieces = await state.pieces();
  const plan = planResume(pieces, (name) => {
    const file = byName.get(name);
    return file === undefined ? undefined : tableOf(target, file);
  });
  await emptyTables(target, plan.spoiled, await readTables(target, selection));
  const kept = new Set([...plan.loaded.values()].flat().map(({ id }) => id));
  await state.forget(pieces.filter(({ id }) => !kept.has(id)).map(({ id }) => id));
  for (const of of plan.loaded.values()) onLoaded(loadedBytes(of));
  return {
    files: selection.data.filter(
      ({ name, dumpedBytes }) => loadedBytes(plan.loaded.get(name)) < dumpedBytes,
    ),
    loaded: plan.loaded,
  };
}

async function* stageAll(
  stage: DataStage,
  files: readonly DumpFile[],
): AsyncGenerator<{ batch: StagedBatch; takenBytes: number }, void, void> {
  const mustCut = (file: DumpFile) => stage.loadedOf(file).length > 0;
  for (const batch of planBatches(files, stage, mustCut)) {
    if (batch.kind === 'whole') {
      const staged = await stageWhole(stage, batch);
      stage.budget.handedOver();
      yield staged;
      continue;
    }
    for await (const staged of stageCut(stage, batch.file)) {
      stage.budget.handedOver();
      yield staged;
    }
  }
}

async function loadBatch(
  { loader, state, stage, onLoaded, turns }: DataPhase & { readonly turns: Turns },
  batch: StagedBatch,
  ownThreads: number,
): Promise<void> {
  await state.addPieces(batch.pieces.map(({ piece }) => piece));
  let left = batch.pieces;
  for (let tries = 1; left.length > 0; tries += 1) {
    const threads = Math.max(1, Math.floor(ownThreads / 2 ** (tries - 1)));
    const load = () => runMyloader(loader, batch.directory, threads);
    const verdict = await (tries === 1 ? turns.together(load) : turns.alone(load));
    if (verdict.good && !stage.guarded) await state.markLoaded(left.map(({ piece }) => piece.id));
    const marks = await state.marks(left.map(({ piece }) => piece.id));
    const done = left.filter(({ piece }) => marks.get(piece.id)?.loaded);
    left = left.filter(({ piece }) => !marks.get(piece.id)?.loaded);
    onLoaded(done.reduce((sum, { piece }) => sum + piece.end - piece.start, 0));
    if (left.length === 0 && verdict.good) return;
    const isClean =
      stage.guarded && left.every(({ piece }) => marks.get(piece.id)?.begun === false);
    if (verdict.good || !verdict.mayPass || !isClean || tries === TRIES) {
      requireGood(verdict);
      const names = left.map(({ fileName }) => fileName).join(', ');
      throw new Failure('restore', `myloader ended with exit code 0 but did not load ${names}`);
    }
    for (const { fileName } of done) unlinkSync(join(batch.directory, fileName));
  }
}
