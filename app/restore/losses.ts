import type { Selection } from './selection.ts';
import { type Target, tableOf, targetDatabases } from './target.ts';

const SHOWN = 3;

/**
 * Columns whose values myloader changes. It loads all rows under `SET NAMES binary`, so UUID, INET6
 * and INET4 values become NULL or other values. Row counts do not show it.
 * @returns `database.table.column` of those in tables that rows are loaded into.
 */
export async function changedColumns(target: Target, selection: Selection): Promise<string[]> {
  const names = targetDatabases(target, selection);
  if (names.length === 0) return [];
  const loaded = new Set(selection.data.map((file) => tableOf(target, file)));
  const rows = await target.database.query(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col
     FROM information_schema.COLUMNS
     WHERE DATA_TYPE IN ('uuid', 'inet6', 'inet4')
       AND TABLE_SCHEMA IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  return rows
    .filter(({ db, name }) => loaded.has(JSON.stringify([String(db), String(name)])))
    .map(({ db, name, col }) => `${db}.${name}.${col}`);
}

/** One line for the operator, of a few of the columns. */
export function describeChanged(columns: readonly string[]): string {
  const more = columns.length > SHOWN ? ` and ${columns.length - SHOWN} more` : '';
  const shown = columns.slice(0, SHOWN).map((column) => JSON.stringify(column));
  return (
    'myloader changes UUID, INET6 and INET4 values; ' +
    `with a dump of 0.10 load these tables with the mariadb client: ${shown.join(', ')}${more}`
  );
}
