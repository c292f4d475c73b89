import { ANY, ONE, type WildcardPattern, wildcardPattern } from '../wildcards.ts';

/**
 * Lines of SHOW GRANTS. Without FOR they show the grants of the user, of its active roles and of
 * the roles in these, and on MariaDB of PUBLIC. MySQL prints all of them as the user's own, MariaDB
 * by role.
 */
export type GrantLines = readonly string[];

/** Privileges granted on everything (`*.*`), in capitals. */
export function globalPrivileges(grants: GrantLines): ReadonlySet<string> {
  return union(
    readGrants(grants).filter(({ revoked, database }) => !revoked && database === undefined),
  );
}

/**
 * Privileges that hold for every table of a database, or for one table of it, in capitals. MySQL's
 * partial revokes take global privileges back. Of database grants whose patterns match, each
 * grantee has the most specific one only (measured on both vendors).
 */
export function privilegesOn(
  grants: GrantLines,
  database: string,
  table?: string,
): ReadonlySet<string> {
  const parsed = readGrants(grants);
  const held = globalPrivilegesFor(grants, database);
  const onDatabase = parsed.filter(
    (grant) => !grant.revoked && grant.table === undefined && covers(grant, database),
  );
  for (const name of union(mostSpecific(onDatabase))) held.add(name);
  if (table === undefined) return held;
  const onTable = parsed.filter((grant) => grant.database === database && grant.table === table);
  for (const name of union(onTable)) held.add(name);
  return held;
}

/** Global privileges without those that a partial revoke takes back for this database. */
function globalPrivilegesFor(grants: GrantLines, database: string): Set<string> {
  const revoked = union(
    readGrants(grants).filter((grant) => grant.revoked && covers(grant, database)),
  );
  return new Set([...globalPrivileges(grants)].filter((name) => !revoked.has(name)));
}

/** Whether the user holds it by a grant on everything, and no partial revoke takes it back here. */
export function holdsEverywhere(grants: GrantLines, privilege: string, database: string): boolean {
  const held = globalPrivilegesFor(grants, database);
  return held.has('ALL PRIVILEGES') || held.has(privilege);
}

/** Whether the user holds one of these privileges there; without a database: on everything. */
export function holds(
  grants: GrantLines,
  anyOf: readonly string[],
  database?: string,
  table?: string,
): boolean {
  const held =
    database === undefined ? globalPrivileges(grants) : privilegesOn(grants, database, table);
  return held.has('ALL PRIVILEGES') || anyOf.some((name) => held.has(name));
}

/**
 * Roles granted to this account, as the lines write them. The lines hold the privileges of active
 * roles only.
 */
export function rolesOf(grants: GrantLines, account: string): readonly string[] {
  return grants.flatMap((line) => {
    const masked = maskQuoted(line);
    const found = /^GRANT ([\0@,]+) TO /.exec(masked);
    if (found === null || !line.startsWith(account, found[0].length)) return [];
    const end = found[0].length - ' TO '.length;
    return splitAt(line.slice('GRANT '.length, end), masked.slice('GRANT '.length, end), ',');
  });
}

/**
 * Prepares a line for this module. Cuts the user's credentials (MariaDB shows the password's hash).
 * Escapes the names of databases if they are literal, as they are on a MySQL with `partial_revokes`
 * on: this module reads them as patterns.
 */
export function normaliseGrant(line: string, literalNames: boolean): string {
  const masked = maskQuoted(line);
  const end = masked.indexOf(' IDENTIFIED ');
  const shown = end === -1 ? line : line.slice(0, end);
  const level = / ON (\0+)\.\*/.exec(masked);
  if (!literalNames || level === null) return shown;
  const from = level.index + ' ON '.length;
  const to = from + (level[1]?.length ?? 0);
  return shown.slice(0, from) + escapePattern(shown.slice(from, to)) + shown.slice(to);
}

/** The pattern that matches this name only. */
export function escapePattern(name: string): string {
  return name.replace(/[\\_%]/g, '\\$&');
}

type Grant = {
  readonly revoked: boolean;
  readonly names: readonly string[];
  /** Pattern of a database grant, name of a table grant; undefined for everything. */
  readonly database: string | undefined;
  readonly table: string | undefined;
  readonly grantee: string;
};

/** Parsed lines: each table needs them again. */
const READ = new WeakMap<GrantLines, readonly Grant[]>();

function readGrants(lines: GrantLines): readonly Grant[] {
  const known = READ.get(lines) ?? parseGrants(lines);
  READ.set(lines, known);
  return known;
}

/** Grants on tables and wider. Leaves out privileges on single columns or routines. */
function parseGrants(lines: GrantLines): Grant[] {
  return lines.flatMap((line) => {
    const masked = maskQuoted(line);
    const found = /^(GRANT|REVOKE) (.+?) ON (\*|\0+)\.(\*|\0+) (?:TO|FROM) /s.exec(masked);
    const [head, verb, list, database, table] = found ?? [];
    if (head === undefined || verb === undefined || list === undefined) return [];
    if (database === undefined || table === undefined) return [];
    const listStart = verb.length + 1;
    const databaseStart = listStart + list.length + ' ON '.length;
    const tableStart = databaseStart + database.length + 1;
    return [
      {
        revoked: verb === 'REVOKE',
        names: privilegeNames(list),
        database: unquote(line.slice(databaseStart, databaseStart + database.length)),
        table: unquote(line.slice(tableStart, tableStart + table.length)),
        grantee: line.slice(head.length),
      },
    ];
  });
}

/** Those names of `SELECT, INSERT (<columns>), LOCK TABLES` that hold for whole tables. */
function privilegeNames(maskedList: string): string[] {
  const names: string[] = [];
  let name = '';
  let inColumns = false;
  for (const character of `${maskedList},`) {
    if (character === '(') inColumns = true;
    else if (character === ')') [inColumns, name] = [false, ''];
    else if (!inColumns && character === ',') {
      if (name.trim() !== '') names.push(name.trim().toUpperCase());
      name = '';
    } else if (!inColumns) name += character;
  }
  return names;
}

/** Replaces each quoted name by as many NUL characters. No name holds a NUL. */
function maskQuoted(line: string): string {
  return line.replace(/`[^`]*`/g, (name) => '\0'.repeat(name.length));
}

function splitAt(text: string, masked: string, separator: string): string[] {
  let start = 0;
  return masked.split(separator).map((part) => {
    const piece = text.slice(start, start + part.length);
    start += part.length + separator.length;
    return piece;
  });
}

function unquote(name: string): string | undefined {
  return name === '*' ? undefined : name.slice(1, -1).replaceAll('``', '`');
}

function union(grants: readonly Grant[]): ReadonlySet<string> {
  return new Set(grants.flatMap(({ names }) => names));
}

/** A grant on a database reads `_` and `%` as LIKE does, unless a backslash escapes them. */
function covers({ database, table }: Grant, name: string): boolean {
  return database !== undefined && table === undefined && likePattern(database).test(name);
}

/** The server reads a grantee's grants in this order and stops at the first that matches. */
function mostSpecific(matching: readonly Grant[]): Grant[] {
  const best = new Map<string, number>();
  for (const { grantee, database } of matching)
    best.set(grantee, Math.max(best.get(grantee) ?? 0, specificity(database ?? '')));
  return matching.filter(
    ({ grantee, database }) => best.get(grantee) === specificity(database ?? ''),
  );
}

function specificity(pattern: string): number {
  const wildcard = /^(?:\\[\s\S]|[^\\%_])*/.exec(pattern)?.[0].length ?? 0;
  return wildcard === pattern.length ? Number.POSITIVE_INFINITY : wildcard;
}

/**
 * Reads a pattern as LIKE does: `%` is anything, `_` one character, and a backslash makes the next
 * character literal.
 */
export function likePattern(pattern: string): WildcardPattern {
  return wildcardPattern(
    [...pattern.matchAll(/\\([\s\S])|[\s\S]/gu)].map(([part, escaped]) => {
      if (escaped !== undefined) return escaped;
      if (part === '%') return ANY;
      return part === '_' ? ONE : part;
    }),
  );
}
