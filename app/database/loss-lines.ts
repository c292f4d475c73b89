import type { Contents } from '../manifest/completeness.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Row } from './connection.ts';
import { listNames } from './names.ts';

/** Contents of the server that a dump would not hold, a line for each kind of them. */
export type Losses = {
  /** The dump would fail, would not load, or would miss what no warning makes good. */
  readonly refusals: readonly string[];
  /** The dump would change or leave out a part that an operator may accept. */
  readonly warnings: readonly string[];
};

/** Who dumps what: losses differ by the generation of mydumper and by the vendor of the server. */
export type DumpedBy = {
  readonly generation: Generation;
  readonly vendor: 'mariadb' | 'mysql';
};

/** Asks the server about the databases of the dump, whose names are the statement's values. */
export type Ask = (sql: string) => Promise<readonly Row[]>;

/** One message for all rows, with a few of their names; no message without rows. */
export function group(rows: readonly Row[], message: (names: string) => string): string[] {
  if (rows.length === 0) return [];
  const names = new Set(
    rows.map((row) => [row.db, row.name, row.col].filter((part) => part !== undefined).join('.')),
  );
  return [message(listNames([...names]))];
}

/** The rows, by `db` and `name`, that are of tables and not of views. */
export function withoutViews(rows: readonly Row[], { tables }: Contents): Row[] {
  const key = (database: string, table: string) => JSON.stringify([database, table]);
  const known = new Set(tables.map(({ database, table }) => key(database, table)));
  return rows.filter((row) => known.has(key(String(row.db), String(row.name))));
}
