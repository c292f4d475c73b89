import { ANY, ONE, type WildcardPattern, wildcardPattern } from '../wildcards.ts';

/** Privileges granted on everything (`*.*`), in capitals. `grants` are lines of SHOW GRANTS. */
export function globalPrivileges(grants: readonly string[]): ReadonlySet<string> {
  return privilegesWhere(grants, (level) => level === '*.*');
}

/** Privileges that hold for every table of a database, in capitals: granted globally or on the database. */
export function privilegesOn(grants: readonly string[], database: string): ReadonlySet<string> {
  return privilegesWhere(grants, (level) => level === '*.*' || coversDatabase(level, database));
}

function privilegesWhere(grants: readonly string[], wanted: (level: string) => boolean): ReadonlySet<string> {
  const privileges = new Set<string>();
  for (const grant of grants) {
    const [, list, level] = /^GRANT (.+?) ON ((?:`(?:[^`]|``)*`|\*)\.\*) TO /s.exec(grant) ?? [];
    if (list === undefined || level === undefined || !wanted(level)) continue;
    for (const name of list.split(',')) privileges.add(name.trim().toUpperCase());
  }
  return privileges;
}

/** A grant on a database takes `_` and `%` in its name as LIKE does, unless they stand after a backslash. */
function coversDatabase(level: string, database: string): boolean {
  const quoted = /^`(.*)`\.\*$/s.exec(level)?.[1];
  return quoted !== undefined && likePattern(quoted.replaceAll('``', '`')).test(database);
}

/** A pattern as LIKE reads it: `%` is anything, `_` one character, and a backslash takes the next one as it is. */
export function likePattern(pattern: string): WildcardPattern {
  return wildcardPattern(
    [...pattern.matchAll(/\\([\s\S])|[\s\S]/gu)].map(([part, escaped]) => {
      if (escaped !== undefined) return escaped;
      if (part === '%') return ANY;
      return part === '_' ? ONE : part;
    }),
  );
}
