import type { Row } from '../database/connection.ts';
import { literalAt, type Rows } from './insert-reader.ts';

/** WARN_DATA_TRUNCATED of MySQL and MariaDB. */
const TRUNCATED = 1265;
/** ER_DUP_ENTRY; INSERT IGNORE skips such rows on purpose. */
const DUPLICATE = 1062;
/**
 * About a statement and not about its rows: deprecated syntax (1287, 1681), names of character
 * sets and collations (3719, 3720, 3778).
 */
const ABOUT_SYNTAX: ReadonlySet<number> = new Set([1287, 1681, 3719, 3720, 3778]);

/** What is known of the rows that a warning is about. */
export type About = Rows & { readonly columns: readonly string[] };

/** The server counts more warnings about a statement than it shows. */
export class WarningsHidden extends Error {
  constructor(count: number, shown: number) {
    super(`the server counts ${count} warnings about a statement and shows ${shown} of them`);
    this.name = 'WarningsHidden';
  }
}

/**
 * The first warning that means a value other than the dumped one. ENUM columns may hold '' as the
 * value of no member, which the server takes with a warning. Pure.
 * @returns the server's own words; undefined when all warnings are harmless.
 * @throws WarningsHidden when that cannot be known.
 */
export function faultAmong(
  warnings: readonly Row[],
  count: number,
  about: About,
): string | undefined {
  const fault = warnings.find((row) => !isHarmless(row, about));
  if (fault !== undefined) return `${fault.Message} (${fault.Code})`;
  if (warnings.length < count) throw new WarningsHidden(count, warnings.length);
  return undefined;
}

function isHarmless({ Code, Message }: Row, about: About): boolean {
  const code = Number(Code);
  if (ABOUT_SYNTAX.has(code)) return true;
  if (code === DUPLICATE) return about.tolerant;
  if (code !== TRUNCATED) return false;
  const [, column = '', row = ''] = /column (.*) at row (\d+)/s.exec(String(Message)) ?? [];
  // MariaDB names the column in full.
  const name = /([^.]*)$/.exec(column.replace(/['`]/g, ''))?.[1] ?? '';
  const literal = literalAt(about, Number(row), name, about);
  return literal !== undefined && /^(?:_binary\s*)?(?:""|'')$/.test(literal);
}
