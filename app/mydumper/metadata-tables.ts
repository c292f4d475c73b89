/**
 * Facts about tables in 1.x's `metadata`, by `database.table` as in file names. Empty for 0.10,
 * which records none.
 */
export type MetadataTables = {
  readonly realNames: ReadonlyMap<string, string>;
  readonly rows: ReadonlyMap<string, number>;
};

/** Sections are ``[`db`.`table`]`` with `real_table_name=` and `rows=`. Pure. */
export function readMetadataTables(text: string): MetadataTables {
  const realNames = new Map<string, string>();
  const rows = new Map<string, number>();
  let section: string | undefined;
  for (const line of text.split('\n')) {
    const header = /^\[(.*)\]\s*$/.exec(line);
    if (header !== null) {
      const [, database, table] =
        /^`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`$/.exec(header[1] ?? '') ?? [];
      section = table === undefined ? undefined : `${unquote(database ?? '')}.${unquote(table)}`;
      continue;
    }
    if (section === undefined) continue;
    const [, name, rest = ''] = /^(real_table_name|rows)[ \t]*=(.*)$/s.exec(line) ?? [];
    if (name === 'real_table_name') realNames.set(section, realName(rest));
    if (name === 'rows' && /^\d+$/.test(rest.trim())) rows.set(section, Number(rest));
  }
  return { realNames, rows };
}

/**
 * 1.x doubles backticks. It writes a line end as U+1000 and `0` (`newline_protect` in its source).
 */
const LINE_END = '\u10000';

/**
 * The name of a table as `realNames` holds it. A name with U+1000 and `0` reads as one with a line
 * end.
 */
export function nameInMetadata(table: string): string {
  return table.replaceAll(LINE_END, '\n');
}

function realName(value: string): string {
  return unquote(value).replaceAll(LINE_END, '\n');
}

function unquote(name: string): string {
  return name.replaceAll('``', '`');
}
