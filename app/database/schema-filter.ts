/**
 * A condition on a column of information_schema with database names: the name is one of
 * `databases`. MariaDB compares such names without regard to case. Of two names that differ in case
 * alone it looks up only one. A comparison as bytes finds both, but makes the server look at every
 * database, so only lists with such names use it.
 */
export function inDatabases(column: string, databases: readonly string[]): string {
  const marks = databases.map(() => '?').join(', ');
  return `${hasTwins(databases) ? 'BINARY ' : ''}${column} IN (${marks})`;
}

/** Whether two of the names differ in case or accents alone, so that a server may equate them. */
function hasTwins(databases: readonly string[]): boolean {
  const folded = new Set(databases.map((name) => fold(name)));
  return folded.size < databases.length;
}

function fold(name: string): string {
  return name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ß', 's');
}
