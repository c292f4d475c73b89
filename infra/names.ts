/** Where a source's backups are: `[<prefix>/]<source>/`, as the program builds its keys. */
export function folderOf(prefix: string, source: string): string {
  return prefix === '' ? `${source}/` : `${prefix}/${source}/`;
}

/** A construct's id for one source. */
export function idOf(source: string): string {
  return source.replace(/(^|-)([A-Za-z0-9])/g, (_all, _hyphen, letter: string) => letter.toUpperCase());
}
