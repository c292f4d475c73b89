import type { Reading } from '../commands/reading.ts';
import type { Fault } from '../manifest/compare-listing.ts';
import { formatCount } from '../observe/format.ts';
import type { CheckResult } from './check-result.ts';
import { counterOf } from './counters.ts';
import { type Definition, isSame, readDefinitions } from './definitions.ts';
import { type RestorePlan, readText } from './open.ts';
import type { RestoreState } from './state.ts';
import { databaseIn, quoteName, readTables, type Target, tableOf } from './target.ts';
import { withoutDatabase } from './trigger-names.ts';

/**
 * Compares the server's content with the backup: every table exists, its row count equals the one
 * in the files, and every definition equals its file. It reads the definitions from the bucket
 * again, one file at a time.
 */
export async function checkRestored(
  reading: Reading,
  plan: RestorePlan,
  target: Target,
  state: RestoreState,
): Promise<CheckResult> {
  const { selection } = plan;
  const { what } = reading.config.reading.restore;
  const faults: Fault[] = [];
  const compared = { tables: 0, rows: 0, definitions: 0 };
  const expected = await expectedRows(plan, target, state);
  const there = await readTables(target, selection);
  const views = new Set(selection.views.map((file) => tableOf(target, file)));
  const tables = new Map(
    [...selection.schemas, ...selection.data].map((file) => [tableOf(target, file), file] as const),
  );
  let count = 0;
  for (const [key, file] of tables) {
    reading.interruption.throwIfAborted();
    count += 1;
    reading.work.emit('sample', {
      stage: `comparing ${file.database}.${file.realTable}`,
      doneBytes: count,
      totalBytes: tables.size,
    });
    const name = `${databaseIn(target, file.database)}.${file.realTable}`;
    if (views.has(key)) continue;
    if (!there.has(key)) faults.push({ key: name, reason: 'the table is not in the server' });
    else {
      compared.tables += 1;
      const rows = expected.get(key);
      if (rows === undefined || what === 'schema' || there.get(key)?.merges) continue;
      const counted = await countRows(target, key);
      compared.rows += counted;
      if (counted !== rows)
        faults.push({ key: name, reason: `has ${counted} rows, the backup ${rows}` });
    }
  }
  await compareDefinitions(
    reading,
    plan,
    target,
    (fault) => faults.push(fault),
    () => {
      compared.definitions += 1;
    },
  );
  return { lines: summary(compared, faults), faults, compared };
}

/** Rows by table, as counted in the files during the load. */
async function expectedRows(
  { selection }: RestorePlan,
  target: Target,
  state: RestoreState,
): Promise<ReadonlyMap<string, number>> {
  const byName = new Map(selection.data.map((file) => [file.name, file]));
  const rows = new Map<string, number>();
  const add = (key: string, count: number) => rows.set(key, (rows.get(key) ?? 0) + count);
  for (const file of selection.schemas) add(tableOf(target, file), 0);
  for (const mark of await state.marks()) {
    const file = byName.get(mark.file);
    if (file !== undefined) add(tableOf(target, file), mark.rows);
  }
  return rows;
}

async function countRows({ database }: Target, key: string): Promise<number> {
  const [db = '', name = ''] = JSON.parse(key) as string[];
  const [row] = await database.longQuery(`SELECT COUNT(*) AS n FROM ${quoteName(db, name)}`);
  return Number(row?.n);
}

async function compareDefinitions(
  { store, config, interruption }: Reading,
  { manifest, selection }: RestorePlan,
  target: Target,
  onFault: (fault: Fault) => void,
  onCompared: () => void,
): Promise<void> {
  const views = new Set(selection.views.map((file) => tableOf(target, file)));
  const ofTables = selection.schemas.filter((file) => !views.has(tableOf(target, file)));
  if (config.reading.restore.what === 'data') return;
  for (const file of [...ofTables, ...selection.post, ...selection.views, ...selection.triggers]) {
    interruption.throwIfAborted();
    const db = databaseIn(target, file.database);
    await target.database.query(`USE ${quoteName(db)}`);
    const text = await readText(store, file, manifest);
    const isMoved = target.as !== undefined && file.kind === 'triggers';
    for (const definition of readDefinitions(
      isMoved ? withoutDatabase(text, file.database ?? '') : text,
    )) {
      onCompared();
      const inServer = await showCreate(target, definition);
      const key = `${definition.kind.toLowerCase()} ${db}.${definition.name}`;
      if (inServer === undefined) onFault({ key, reason: 'is not in the server' });
      else if (!isSame(definition, inServer, file.database ?? '', db))
        onFault({ key, reason: `is defined otherwise than in ${file.key}` });
      else if (definition.kind === 'TABLE' && isCounterLost(definition.original, inServer))
        onFault({ key, reason: `has a lower AUTO_INCREMENT than in ${file.key}` });
    }
  }
}

/** Numbers that rows of the source had before would be given again. */
function isCounterLost(inBackup: string, inServer: string): boolean {
  return (counterOf(inServer) ?? 1) < (counterOf(inBackup) ?? 1);
}

async function showCreate(
  { database }: Target,
  { kind, name }: Definition,
): Promise<string | undefined> {
  try {
    const [row] = await database.query(`SHOW CREATE ${kind} ${quoteName(name)}`);
    const column = Object.keys(row ?? {}).find((each) =>
      /^(?:Create |SQL Original Statement)/.test(each),
    );
    const text = column === undefined ? undefined : row?.[column];
    return text === null || text === undefined ? undefined : String(text);
  } catch {
    return undefined; // an error reports a missing object, or one this user may not see
  }
}

function summary(
  compared: { tables: number; rows: number; definitions: number },
  faults: readonly Fault[],
): string[] {
  return [
    `  compared with the backup: ${formatCount(compared.tables, 'table')}, ` +
      `${formatCount(compared.rows, 'row')}, ${formatCount(compared.definitions, 'definition')}`,
    faults.length === 0
      ? '  the restored content matches the backup'
      : `  ${formatCount(faults.length, 'fault')}`,
  ];
}
