import type { Reading } from '../commands/reading.ts';
import type { Database } from '../database/connection.ts';
import { inDatabases } from '../database/schema-filter.ts';
import { askForWork } from '../database/work.ts';
import { Failure } from '../errors.ts';
import { watchForStall } from '../stall-watch.ts';
import { releaseFileLock, takeFileLock } from './file-lock.ts';
import type { LoadJob } from './load-protocol.ts';
import { LoadFailed, loadFiles } from './loaders.ts';
import { type Mark, nextMarkId, removeMarks } from './marks.ts';
import { type RestorePlan, readText } from './open.ts';
import type { DumpFile } from './selection.ts';
import type { RestoreState } from './state.ts';
import { emptyTables, readTables, type Target, tableOf, targetDatabases } from './target.ts';

export type DataPhase = {
  readonly reading: Reading;
  readonly plan: RestorePlan;
  readonly target: Target;
  readonly state: RestoreState;
  /** Bytes of the dump that are in the server. */
  readonly onLoaded: (bytes: number) => void;
};

/**
 * Loads all rows that are not loaded yet. Each row is loaded once, however often the restore is
 * interrupted: the mark of a file is in the same transaction as its rows. A half-loaded table
 * without transactions is emptied and loaded again.
 * @throws Failure with the first cause; nothing is under way then.
 */
export async function loadData(phase: DataPhase): Promise<void> {
  const { reading, plan, target, state, onLoaded } = phase;
  const { config, work, interruption } = reading;
  const { data } = plan.selection;
  const there = await readTables(target, plan.selection);
  const isTransactional = (file: DumpFile) =>
    there.get(tableOf(target, file))?.transactional ?? false;
  const marks = await takeUp(phase, there, isTransactional);
  const columns = await readColumns(target, phase);
  const firstNewId = await nextMarkId(target.database);

  const jobs = function* (): Generator<LoadJob> {
    for (const [at, file] of data.entries()) {
      const mark = marks.get(file.name);
      if (mark?.judged) continue;
      const table = tableOf(target, file);
      const [database = '', name = ''] = JSON.parse(table) as string[];
      const of = columns.get(table) ?? [];
      yield {
        id: mark?.id ?? firstNewId + at,
        file,
        database,
        table: name,
        transactional: isTransactional(file),
        columns: of.map((column) => column.name),
        textColumns: of.filter(({ isText }) => isText).map((column) => column.name),
      };
    }
  };
  for (const file of data) if (marks.get(file.name)?.judged) onLoaded(file.dumpedBytes);

  const stalled = new AbortController();
  const stall = watchForStall({
    name: 'the load of rows',
    limitSeconds: config.dump.stallTimeoutSeconds,
    isHeld: () => false,
    askServer: () => askForWork(config.server),
    onStalled: (message) => stalled.abort(new Failure('restore', message)),
  });
  const alive = setInterval(() => state.worked().catch(() => {}), WORKED_MILLISECONDS).unref();
  try {
    await loadFiles(jobs(), {
      start: {
        server: config.server,
        store: config.store,
        compression: plan.manifest.compression,
        run: state.run,
        transactionBytes: config.reading.restore.transactionBytes,
      },
      connections: config.dump.threads,
      signal: AbortSignal.any([interruption, stalled.signal]),
      onProgress: (bytes) => {
        stall.alive('rows were sent');
        onLoaded(bytes);
      },
      onWarning: (message) => {
        stall.alive(message);
        work.emit('warning', { message });
      },
      onRetried: (retry) => {
        stall.alive(`${retry.operation} of ${retry.key}`);
        work.emit('retried', retry);
      },
    });
  } catch (error) {
    if (error instanceof LoadFailed && error.spoiled && error.job !== undefined)
      await discard(phase, there, error.job);
    throw error;
  } finally {
    stall.end();
    clearInterval(alive);
  }
}

/** How often the restore records in the server that it still works. */
const WORKED_MILLISECONDS = 60_000;

/**
 * What an earlier run left. Tables that it half loaded without transactions are emptied, and their
 * marks removed.
 * @returns the marks that hold, by name of the file.
 */
async function takeUp(
  phase: DataPhase,
  there: Awaited<ReturnType<typeof readTables>>,
  isTransactional: (file: DumpFile) => boolean,
): Promise<ReadonlyMap<string, Mark>> {
  const { target, state, plan } = phase;
  const { data } = plan.selection;
  const byName = new Map(data.map((file) => [file.name, file]));
  const marks = await state.marks();
  const old = new Set(await state.oldFiles());
  const tables = new Set<string>();
  for (const file of data) if (old.has(file.name)) tables.add(tableOf(target, file));
  for (const mark of marks) {
    const file = byName.get(mark.file);
    if (file === undefined || mark.judged || isTransactional(file)) continue;
    await endLoadOf(target.database, mark.id);
    tables.add(tableOf(target, file));
  }
  await emptyTables(target, tables, there, definitionsOf(phase));
  const isGone = ({ file: name }: Mark) => {
    const file = byName.get(name);
    return file !== undefined && tables.has(tableOf(target, file));
  };
  await removeMarks(
    target.database,
    marks.filter(isGone).map(({ id }) => id),
  );
  await state.forgetOldFiles();
  return new Map(marks.filter((mark) => !isGone(mark)).map((mark) => [mark.file, mark]));
}

/** Ends a connection of an earlier run that may still load the file. */
async function endLoadOf(database: Database, id: number): Promise<void> {
  await takeFileLock(database, id);
  await releaseFileLock(database, id);
}

/** Empties the table of a file whose content is not trusted, and forgets what was loaded. */
async function discard(
  phase: DataPhase,
  there: Awaited<ReturnType<typeof readTables>>,
  { file, database, table }: LoadJob,
): Promise<void> {
  const { target, state, plan } = phase;
  const key = JSON.stringify([database, table]);
  const names = new Set(
    plan.selection.data.filter((each) => tableOf(target, each) === key).map(({ name }) => name),
  );
  const marks = (await state.marks()).filter(
    (mark) => names.has(mark.file) || mark.file === file.name,
  );
  for (const { id } of marks) await endLoadOf(target.database, id);
  await emptyTables(target, [key], there, definitionsOf(phase));
  await removeMarks(
    target.database,
    marks.map(({ id }) => id),
  );
}

/** The backup's CREATE TABLE of a table, named as by `tableOf`. */
function definitionsOf({
  reading,
  plan,
  target,
}: DataPhase): (table: string) => Promise<string | undefined> {
  return async (table) => {
    const file = plan.selection.schemas.find((each) => tableOf(target, each) === table);
    return file === undefined ? undefined : await readText(reading.store, file, plan.manifest);
  };
}

type Column = { readonly name: string; readonly isText: boolean };

/** Columns of the target's tables that an INSERT without a list fills, in order, by `tableOf`. */
async function readColumns(
  target: Target,
  { plan }: DataPhase,
): Promise<ReadonlyMap<string, readonly Column[]>> {
  const databases = targetDatabases(target, plan.selection);
  const columns = new Map<string, Column[]>();
  if (databases.length === 0) return columns;
  const rows = await target.database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col,
       DATA_TYPE IN ('uuid', 'inet6', 'inet4') AS isText
     FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)} AND COALESCE(GENERATION_EXPRESSION, '') = ''
     ORDER BY TABLE_SCHEMA, TABLE_NAME, ORDINAL_POSITION`,
    databases,
  );
  for (const { db, name, col, isText } of rows) {
    const key = JSON.stringify([String(db), String(name)]);
    const of = columns.get(key) ?? [];
    of.push({ name: String(col), isText: Number(isText) === 1 });
    columns.set(key, of);
  }
  return columns;
}
