import type { Contents } from '../manifest/completeness.ts';
import type { Row } from './connection.ts';
import { type Ask, type DumpedBy, group, type Losses } from './loss-lines.ts';
import { inDatabases } from './schema-filter.ts';

/**
 * Warns of foreign keys to columns that are not those of a unique key. MySQL 8.4 and later create
 * such a key only where `restrict_fk_on_non_standard_key` is off, and it is on by default.
 */
export async function keyLosses(
  ask: Ask,
  { vendor }: DumpedBy,
  { databases }: Contents,
): Promise<Losses> {
  if (vendor === 'mariadb') return { refusals: [], warnings: [] };
  const referring = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, CONSTRAINT_NAME AS keyName,
       REFERENCED_TABLE_SCHEMA AS toDb, REFERENCED_TABLE_NAME AS toName,
       REFERENCED_COLUMN_NAME AS member
     FROM information_schema.KEY_COLUMN_USAGE
     WHERE ${inDatabases('TABLE_SCHEMA', databases)} AND REFERENCED_TABLE_NAME IS NOT NULL`,
  );
  if (referring.length === 0) return { refusals: [], warnings: [] };
  const unique = await ask(
    `SELECT TABLE_SCHEMA AS toDb, TABLE_NAME AS toName, INDEX_NAME AS keyName,
       COLUMN_NAME AS member
     FROM information_schema.STATISTICS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)} AND NON_UNIQUE = 0`,
  );
  const targets = new Set(keysOf(unique).map(targetOf));
  // The keys of tables outside the dump are not known.
  const isKnown = ({ toDb }: Row) => databases.includes(String(toDb));
  return {
    refusals: [],
    warnings: group(
      keysOf(referring.filter(isKnown))
        .filter((key) => !targets.has(targetOf(key)))
        .flatMap((rows) => rows.slice(0, 1)),
      (names) =>
        'these have foreign keys to columns without a unique key of just these columns, and load ' +
        `on MySQL 8.4 and later only with restrict_fk_on_non_standard_key=OFF: ${names}`,
    ),
  };
}

/** The rows of each key. */
function keysOf(rows: readonly Row[]): (readonly Row[])[] {
  const named = ({ db, name, toDb, toName, keyName }: Row) =>
    JSON.stringify([db, name, toDb, toName, keyName]);
  return [...Map.groupBy(rows, named).values()];
}

/** The table and the columns of a key, regardless of their order. */
function targetOf(key: readonly Row[]): string {
  const members = key.map(({ member }) => String(member).toLowerCase()).sort();
  return JSON.stringify([key[0]?.toDb, key[0]?.toName, members]);
}
