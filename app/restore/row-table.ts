import { FOREIGN, grammar, NAMED, type Steps } from './row-grammar.ts';
import type { Syntax } from './setting-statement.ts';

const TABLES = new Map<string, Uint8Array>();

/**
 * The automaton's next state for each state and byte, at `state * 256 + byte`. What the grammar
 * does not name is FOREIGN.
 *
 * @param counts each comma between values is an event.
 */
export function rowTable(syntax: Syntax, counts: boolean): Uint8Array {
  const key = JSON.stringify([syntax.backslash, syntax.ansiQuotes, counts]);
  const made = TABLES.get(key) ?? makeTable(grammar(syntax, counts));
  TABLES.set(key, made);
  return made;
}

function makeTable(steps: ReadonlyMap<string, Steps>): Uint8Array {
  const names = [...new Set<string>([...NAMED, ...steps.keys()])];
  const numbers = new Map(names.map((name, number) => [name, number]));
  const table = new Uint8Array(names.length * 256).fill(FOREIGN);
  for (const [from, list] of steps) {
    for (const [characters, to] of list) {
      const target = numbers.get(to);
      const source = numbers.get(from);
      if (target === undefined || source === undefined) throw new Error(`no state ${to}`);
      for (const character of characters) table[source * 256 + character.charCodeAt(0)] = target;
    }
  }
  return table;
}
