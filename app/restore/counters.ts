import type { Database } from '../database/connection.ts';
import { withoutQuoted } from './definitions.ts';

/** The AUTO_INCREMENT of a CREATE TABLE; undefined where it has none. Pure. */
export function counterOf(createTable: string): number | undefined {
  const [, number] = /\bAUTO_INCREMENT=(\d+)/.exec(withoutQuoted(createTable)) ?? [];
  return number === undefined ? undefined : Number(number);
}

/** Gives an empty table the counter that its definition has: TRUNCATE begins at 1 again. */
export async function setCounter(
  { query }: Database,
  quotedTable: string,
  counter: number | undefined,
): Promise<void> {
  if (counter !== undefined) await query(`ALTER TABLE ${quotedTable} AUTO_INCREMENT = ${counter}`);
}
