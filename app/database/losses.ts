import type { Contents } from '../manifest/completeness.ts';
import type { Database } from './connection.ts';
import type { DumpedBy, Losses } from './loss-lines.ts';
import { columnLosses } from './losses-of-columns.ts';
import { keyLosses } from './losses-of-keys.ts';
import { letterLosses } from './losses-of-letters.ts';
import { programLosses } from './losses-of-programs.ts';
import { tableLosses } from './losses-of-tables.ts';
import { listNames } from './names.ts';

/**
 * Finds contents that mydumper silently leaves out or changes, that end its dump in the middle, or
 * that make a dump which does not load. Without `refusals` an operator would notice such a loss
 * only on the day of the restore. Each loss was seen with the generation that it is reported for;
 * docs/mydumper.md lists them.
 * @throws the server's error when something cannot be read.
 */
export async function findLosses(
  database: Database,
  by: DumpedBy,
  contents: Contents,
): Promise<Losses> {
  const { databases } = contents;
  if (databases.length === 0) return { refusals: [], warnings: [] };
  const ask = (sql: string) => database.query(sql, databases);
  const columns = await columnLosses(ask, by, contents);
  const tables = await tableLosses(ask, by, contents);
  const keys = await keyLosses(ask, by, contents);
  const letters = await letterLosses(ask, by, contents);
  const programs = await programLosses(database, by, contents);
  return {
    refusals: [columns, tables, letters, programs].flatMap(({ refusals }) => refusals),
    warnings: [
      ...[tables, columns, keys, letters, programs].flatMap(({ warnings }) => warnings),
      ...(by.generation === 'classic' ? unloadedDatabases(contents) : []),
    ],
  };
}

function unloadedDatabases({ databases, tables, views }: Contents): string[] {
  const used = new Set([...tables, ...views].map(({ database }) => database));
  const unused = databases.filter((name) => !used.has(name));
  if (unused.length === 0) return [];
  const names = listNames(unused);
  return [`myloader 0.10 does not create databases without tables, nor their routines: ${names}`];
}
