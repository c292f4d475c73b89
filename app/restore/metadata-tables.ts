/** What 1.x's `metadata` tells of tables, by `database.table` as files are named; empty for 0.10, which tells nothing. */
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
      const [, database, table] = /^`((?:[^`]|``)+)`\.`((?:[^`]|``)+)`$/.exec(header[1] ?? '') ?? [];
      section = table === undefined ? undefined : `${unquote(database ?? '')}.${unquote(table)}`;
      continue;
    }
    if (section === undefined) continue;
    const [, name, rest = ''] = /^(real_table_name|rows)[ \t]*=(.*)$/s.exec(line) ?? [];
    const value = rest.trim();
    if (name === 'real_table_name') realNames.set(section, value);
    if (name === 'rows' && /^\d+$/.test(value)) rows.set(section, Number(value));
  }
  return { realNames, rows };
}

function unquote(name: string): string {
  return name.replaceAll('``', '`');
}
