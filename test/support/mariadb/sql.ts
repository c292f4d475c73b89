import { escape as escapeValue } from 'mysql2';
import type { Vendor } from './server-program.ts';

/** A database, table or column name in backticks. */
export function quoteName(...parts: readonly string[]): string {
  return parts.map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}

/** A string as SQL literal, for a session without NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return escapeValue(text);
}

/**
 * A FROM clause's source for the column `seq` with the numbers 1 to `count`, in ascending order.
 */
export function rowNumbers(db: { readonly vendor: Vendor }, count: number): string {
  // The sequence engine's tables are in every database. The harness lifts MySQL's recursion limit.
  return db.vendor === 'mariadb'
    ? `mysql.seq_1_to_${count}`
    : '(WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n ' +
        `WHERE seq < ${count}) SELECT seq FROM n) numbers`;
}
