import { headOf } from './insert-head.ts';
import type { Rows } from './insert-statement.ts';
import { COMMA, FIRST, OPEN, ROW } from './row-grammar.ts';
import { createRowLexer, toNextEvent } from './row-lexer.ts';

/**
 * The literal of a column in a row of a statement that a reader gave: its text as it stands there,
 * with its introducer. To judge a server's warning about the row. Reads the statement again.
 *
 * @param row counts from 1.
 * @returns undefined when the statement has no such row or column.
 */
export function literalAt(
  { slices, plainBackslash }: Pick<Rows, 'slices' | 'plainBackslash'>,
  row: number,
  column: string,
  options: { readonly columns: readonly string[] },
): string | undefined {
  const bytes = Buffer.concat(slices);
  const head = headOf(bytes);
  const wanted = (head?.columns ?? options.columns).indexOf(column);
  if (head === undefined || wanted === -1) return undefined;
  const syntax = { backslash: plainBackslash !== true, ansiQuotes: false };
  const lexer = createRowLexer(syntax, true);
  lexer.state = FIRST;
  lexer.at = head.length;
  let rows = 0;
  let index = 0;
  let start = 0;
  while (lexer.at < bytes.length) {
    toNextEvent(lexer, bytes);
    if (lexer.state === OPEN) {
      rows += 1;
      index = 0;
      start = lexer.at;
    } else if (lexer.state === COMMA || lexer.state === ROW) {
      if (rows === row && index === wanted)
        return bytes.toString('utf8', start, lexer.at - 1).trim();
      index += 1;
      start = lexer.at;
    } else return undefined;
  }
  return undefined;
}
