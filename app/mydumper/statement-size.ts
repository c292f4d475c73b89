import type { Generation } from './version.ts';

const MIB = 1024 * 1024;

/** mydumper's own default for `--statement-size`. */
const DEFAULT_STATEMENT_BYTES = 1_000_000;
const SMALLEST_STATEMENT_BYTES = 64 * 1024;
/**
 * Threads' unfinished statements may land after mydumper was told to stop; together they get at
 * most this share of the budget.
 */
const STATEMENTS_SHARE = 1 / 8;

/**
 * The statement size to ask for. mydumper hands whole statements to the kernel, so up to one per
 * thread still lands after a stop: a small budget wants small statements. Rows larger than this are
 * written as one statement each all the same.
 */
export function statementBytes(budgetBytes: number, threads: number): number {
  const fair = Math.floor((budgetBytes * STATEMENTS_SHARE) / threads / 1024) * 1024;
  return Math.min(DEFAULT_STATEMENT_BYTES, Math.max(SMALLEST_STATEMENT_BYTES, fair));
}

/**
 * The most a file holds when mydumper finishes it, of rows smaller than a statement. Debian's 0.10
 * closes a file when statements × the statement size rounded up to MiB exceeds `-F`
 * (`dump_table_data` in mydumper.c), so it holds one statement more; 1.x looks at the size.
 */
export function unfinishedFileBytes(
  generation: Generation,
  chunkMiB: number,
  statement: number,
): number {
  if (generation === 'modern') return chunkMiB * MIB + statement;
  return (Math.floor(chunkMiB / Math.ceil(statement / MIB)) + 1) * statement;
}
