import type { Selection } from './selection.ts';
import { type Target, tableOf, targetDatabases } from './target.ts';

const SHOWN = 3;

/**
 * Columns whose values myloader 0.10 changes, as it loads everything under `SET NAMES binary`: UUID and INET6 become NULL or other values.
 * Row counts do not show it. @returns one line, or undefined when there are none among the tables that rows are loaded into.
 */
export async function changedValues(target: Target, selection: Selection): Promise<string | undefined> {
  const names = targetDatabases(target, selection);
  if (names.length === 0) return undefined;
  const loaded = new Set(selection.data.map((file) => tableOf(target, file)));
  const rows = await target.database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col FROM information_schema.COLUMNS WHERE DATA_TYPE IN ('uuid', 'inet6') AND TABLE_SCHEMA IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  const columns = rows
    .filter(({ db, name }) => loaded.has(JSON.stringify([String(db), String(name)])))
    .map(({ db, name, col }) => JSON.stringify(`${db}.${name}.${col}`));
  if (columns.length === 0) return undefined;
  const more = columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : '';
  return `myloader 0.10 changes UUID and INET6 values; load these tables with the mariadb client or myloader 1.x: ${columns.slice(0, SHOWN).join(', ')}${more}`;
}
