import type { Generation } from './version.ts';

const MIB = 1024 * 1024;

/** mydumper's own default for `--statement-size`. */
const DEFAULT_STATEMENT_BYTES = 1_000_000;
const SMALLEST_STATEMENT_BYTES = 64 * 1024;
/**
 * Unfinished statements of the threads may still reach the disk after mydumper is stopped. Together
 * they get at most this share of the budget.
 */
const STATEMENTS_SHARE = 1 / 8;

/**
 * The statement size for mydumper. mydumper hands whole statements to the kernel, so up to one per
 * thread still reaches the disk after a stop. A small budget therefore needs small statements. A
 * row larger than this still becomes one statement.
 */
export function statementBytes(budgetBytes: number, threads: number): number {
  const fair = Math.floor((budgetBytes * STATEMENTS_SHARE) / threads / 1024) * 1024;
  return Math.min(DEFAULT_STATEMENT_BYTES, Math.max(SMALLEST_STATEMENT_BYTES, fair));
}

/**
 * The largest finished file, of rows smaller than a statement. Debian's 0.10 closes a file when
 * statements × the statement size (rounded up to MiB) exceeds `-F` (`dump_table_data` in
 * mydumper.c). So the file holds one statement more. 1.x compares the size of the file.
 */
export function unfinishedFileBytes(
  generation: Generation,
  chunkMiB: number,
  statement: number,
): number {
  if (generation === 'modern') return chunkMiB * MIB + statement;
  return (Math.floor(chunkMiB / Math.ceil(statement / MIB)) + 1) * statement;
}
