import type { Program } from '../database/programs.ts';
import type { DumpedProgram } from '../mydumper/dumped-programs.ts';
import { classifyFile } from '../mydumper/file-names.ts';
import { listNames } from '../text.ts';

/**
 * Compares the programs that the server listed before the dump with those that the dump creates.
 * Returns a line for each kind of difference, for the log and the manifest. In a narrowed dump
 * programs may be missing on purpose. Pure.
 */
export function programDifferences(
  listed: readonly Program[],
  files: readonly { readonly name: string; readonly programs: readonly DumpedProgram[] }[],
  databases: readonly string[],
  narrowed: boolean,
): string[] {
  const known = new Set(databases);
  const dumped = files.flatMap(({ name, programs }) => {
    const { database = '' } = classifyFile(name, known);
    return programs.map(({ kind, nameBytes }) => ({
      key: keyOf(kind, database, nameBytes),
      shown: `${kind} ${database}.${Buffer.from(nameBytes, 'latin1').toString('utf8')}`,
    }));
  });
  const expected = listed.map(({ kind, database, name }) => ({
    key: keyOf(kind, database, name),
    shown: `${kind} ${database}.${name}`,
  }));
  const missing = narrowed ? [] : without(expected, dumped);
  const unlisted = without(dumped, expected);
  return [
    ...(missing.length === 0
      ? []
      : [
          `the dump lacks programs that the server listed before it: ${listNames(missing)}; ` +
            'they were dropped meanwhile, or mydumper left them out',
        ]),
    ...(unlisted.length === 0
      ? []
      : [
          `the manifest lacks the settings of programs in the dump: ${listNames(unlisted)}; ` +
            'they were created during the dump',
        ]),
  ];
}

type Named = { readonly key: string; readonly shown: string };

/** The names in `all` that `others` does not have, each as often as it is missing. */
function without(all: readonly Named[], others: readonly Named[]): string[] {
  const counts = new Map<string, number>();
  for (const { key } of others) counts.set(key, (counts.get(key) ?? 0) + 1);
  return all
    .filter(({ key }) => {
      const count = counts.get(key) ?? 0;
      counts.set(key, count - 1);
      return count <= 0;
    })
    .map(({ shown }) => shown);
}

/**
 * The server gives names in UTF-8, a dump of 0.10 in the encoding of a trigger's creation. So
 * letters outside ASCII count as one, and names that then are the same are counted.
 */
function keyOf(kind: string, database: string, name: string): string {
  const ascii = name.replace(/[^\0-\x7f]+/g, '\x80').toLowerCase();
  return JSON.stringify([kind, database, ascii]);
}
