import type { Generation } from './version.ts';

/** NAME_MAX of Linux file systems, in bytes. */
const LONGEST_FILE_NAME = 255;

/**
 * Names that Debian's 0.10 cannot dump, one line each. It pastes names into file names and statements as they are: a `/` makes
 * a path of the file name, a backtick or quote breaks its queries, and names with dots may make two tables share one file, of
 * which only the last would be left. 1.x replaces such names by `mydumper_N`.
 */
export function unsupportedNames(
  generation: Generation,
  databases: readonly string[],
  tables: readonly { readonly database: string; readonly table: string }[],
): string[] {
  if (generation === 'modern') return [];
  const problems: string[] = [];
  const bad = (shown: string, why: string) => problems.push(`${shown}: ${why}`);
  const owners = new Map<string, string>();
  const claim = (fileName: string, owner: string) => {
    const other = owners.get(fileName);
    if (other !== undefined && other !== owner)
      bad(owner, `shares the file name ${fileName}.sql with ${other}`);
    owners.set(fileName, owner);
    if (Buffer.byteLength(fileName) + '.00001.sql'.length > LONGEST_FILE_NAME)
      bad(owner, 'has too long a name for a file');
  };

  for (const database of databases) {
    const shown = `database ${JSON.stringify(database)}`;
    const character = /[/`'\\]/.exec(database)?.[0];
    if (character !== undefined) bad(shown, `mydumper 0.10 cannot dump names with ${character}`);
    for (const suffix of ['-schema-create', '-schema-post']) claim(`${database}${suffix}`, shown);
  }
  const stems = new Map<string, string>();
  for (const { database, table } of tables) {
    const shown = `table ${JSON.stringify(`${database}.${table}`)}`;
    const character = /[/`'\\]/.exec(table)?.[0];
    if (character !== undefined) bad(shown, `mydumper 0.10 cannot dump names with ${character}`);
    const stem = `${database}.${table}`;
    stems.set(stem, shown);
    for (const suffix of ['', '-schema', '-schema-triggers', '-schema-view']) claim(stem + suffix, shown);
  }
  for (const [stem, shown] of stems) {
    const base = /^(.*)\.\d{5,}$/s.exec(stem)?.[1];
    const other = base === undefined ? undefined : stems.get(base);
    if (other !== undefined) bad(shown, `its file name is that of a part of ${other}`);
  }
  return [...new Set(problems)];
}
