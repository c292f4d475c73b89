import { escape as escapeValue } from 'mysql2';

/** A database, table or column name in backticks. */
export function quoteName(...parts: readonly string[]): string {
  return parts.map((part) => `\`${part.replaceAll('`', '``')}\``).join('.');
}

/** A string as SQL literal, for a session without NO_BACKSLASH_ESCAPES. */
export function quoteText(text: string): string {
  return escapeValue(text);
}
