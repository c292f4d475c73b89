/**
 * A condition on a column of information_schema that holds the name of a database: one of
 * `databases`, by its exact name. MariaDB compares such names without regard to case and, of two in
 * a list that differ in nothing else, looks only one up. A comparison as bytes finds both, but
 * makes the server look at every database, so it is used only where such names are.
 */
export function inDatabases(column: string, databases: readonly string[]): string {
  const marks = databases.map(() => '?').join(', ');
  return `${hasTwins(databases) ? 'BINARY ' : ''}${column} IN (${marks})`;
}

/**
 * Whether two of the names differ in case or accents alone, as far as a server may compare them.
 */
function hasTwins(databases: readonly string[]): boolean {
  const folded = new Set(databases.map((name) => fold(name)));
  return folded.size < databases.length;
}

function fold(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 's');
}
