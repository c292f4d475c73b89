/** Where a source's backups are: `[<prefix>/]<source>/`, as the program builds its keys. */
export function folderOf({
  prefix,
  name,
}: {
  readonly prefix: string;
  readonly name: string;
}): string {
  return prefix === '' ? `${name}/` : `${prefix}/${name}/`;
}

/** A construct's id for one source. */
export function idOf(source: string): string {
  return source.replace(/(^|-)([A-Za-z0-9])/g, (_all, _hyphen, letter: string) =>
    letter.toUpperCase(),
  );
}
