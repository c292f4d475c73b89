import { escapePattern, globalPrivileges, holds } from './grants.ts';
import type { Inventory } from './inventory.ts';
import { quoteName } from './names.ts';
import { isAtLeast } from './server-version.ts';
import type { PrivilegeServer, UserRights } from './user-rights.ts';

/** Privileges that make a database visible when the user holds them on everything. */
const ON_DATABASES = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'LOCK TABLES'];

/** The statement that grants a privilege on the whole server. */
export function grantOnServer(user: UserRights, privilege: string): string {
  return grant(user, privilege, '*.*');
}

/**
 * The statements that grant a privilege on the databases in `missing`. One statement covers
 * everything if the user sees all databases anyway and misses the privilege in each of `needed`.
 * Otherwise each database has its own: a wider grant would make other databases visible, and
 * dumped.
 */
export function grantOnDatabases(
  server: PrivilegeServer,
  privilege: string,
  missing: readonly string[],
  needed: readonly string[],
): string[] {
  const global = globalPrivileges(server.grants);
  const seesAll = ON_DATABASES.some((name) => global.has(name)) && !global.has(privilege);
  if (seesAll && missing.length === needed.length) return [grantOnServer(server, privilege)];
  return missing.map((name) => grant(server, privilege, levelOf(server, name)));
}

/**
 * The statements that show the routines of these databases with their bodies. Older MariaDB keeps
 * the bodies in a system table. A user who may read that table sees its database, too.
 */
export function grantOnRoutines(server: PrivilegeServer, databases: readonly string[]): string[] {
  const { vendor, version, grants } = server;
  if (vendor === 'mysql') {
    const privilege = isAtLeast(version, 8, 0, 20) ? 'SHOW_ROUTINE' : 'SELECT';
    return [grantOnServer(server, privilege)];
  }
  if (isAtLeast(version, 11, 3))
    return databases.map((name) => grant(server, 'SHOW CREATE ROUTINE', levelOf(server, name)));
  return [
    grant(server, 'SELECT', '`mysql`.`proc`'),
    ...(holds(grants, ['EVENT'], 'mysql') ? [] : [grant(server, 'EVENT', '`mysql`.*')]),
  ];
}

/** The privilege that lets a user ask for the position in the binary log. */
export function positionPrivilege({
  vendor,
  version,
}: Pick<Inventory, 'vendor' | 'version'>): string {
  return vendor === 'mariadb' && isAtLeast(version, 10, 5)
    ? 'BINLOG MONITOR'
    : 'REPLICATION CLIENT';
}

function levelOf({ literalNames }: PrivilegeServer, database: string): string {
  return `${quoteName(literalNames ? database : escapePattern(database))}.*`;
}

function grant({ account }: UserRights, privilege: string, level: string): string {
  return `GRANT ${privilege} ON ${level} TO ${account};`;
}
