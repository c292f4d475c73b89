import type { Contents } from '../manifest/completeness.ts';
import {
  grantOnDatabases,
  grantOnRoutines,
  grantOnServer,
  positionPrivilege,
} from './grant-statements.ts';
import { holds, holdsEverywhere } from './grants.ts';
import type { PrivilegeServer } from './user-rights.ts';

/** What a user may not do: names for the message, and the statements that allow it. */
export type MissingGrant = {
  readonly names: readonly string[];
  readonly statements: readonly string[];
};

export function missingProcess(server: PrivilegeServer): MissingGrant | undefined {
  return holds(server.grants, ['PROCESS']) ? undefined : onServer(server, 'PROCESS');
}

export function missingReload(server: PrivilegeServer): MissingGrant | undefined {
  return holds(server.grants, ['RELOAD', 'FLUSH_TABLES']) ? undefined : onServer(server, 'RELOAD');
}

export function missingLockTables(server: PrivilegeServer): MissingGrant | undefined {
  return missingOnDatabases(server, 'LOCK TABLES', databasesWithTables(server));
}

/**
 * Reads the server's own answer, not the grants: a role, SUPER on some versions, and later
 * privileges let a user ask too.
 */
export function missingPosition(server: PrivilegeServer): MissingGrant | undefined {
  if (server.position.kind !== 'denied' || !server.writesBinaryLog) return undefined;
  return onServer(server, positionPrivilege(server));
}

export function missingTrigger(server: PrivilegeServer): MissingGrant | undefined {
  return missingOnDatabases(server, 'TRIGGER', databasesWithHiddenTriggers(server));
}

/** MariaDB names triggers to a user with INSERT, UPDATE or DELETE, but does not show them. */
export function missingTriggerBodies(server: PrivilegeServer): MissingGrant | undefined {
  const { unreadableTriggers: tables } = server;
  if (tables.length === 0) return undefined;
  const databases = unique(tables.map(({ database }) => database));
  return {
    names: unique(tables.map(({ database, table }) => `${database}.${table}`)),
    statements: grantOnDatabases(server, 'TRIGGER', databases, databases),
  };
}

export function missingRoutineBodies(server: PrivilegeServer): MissingGrant | undefined {
  const { unreadableRoutines: routines } = server;
  if (routines.length === 0) return undefined;
  const databases = unique(routines.map(({ database }) => database));
  const names = routines.map(({ database, name }) => `${database}.${name}`);
  return { names, statements: grantOnRoutines(server, databases) };
}

export function missingRoutines(server: PrivilegeServer): MissingGrant | undefined {
  const databases = server.databases.filter((name) => !seesRoutines(server, name));
  if (databases.length === 0) return undefined;
  return { names: databases, statements: grantOnRoutines(server, databases) };
}

export function missingOnDatabases(
  server: PrivilegeServer,
  privilege: string,
  databases: readonly string[],
): MissingGrant | undefined {
  const names = databases.filter((name) => !holds(server.grants, [privilege], name));
  if (names.length === 0) return undefined;
  return { names, statements: grantOnDatabases(server, privilege, names, databases) };
}

/**
 * The statements grant it on the whole database: objects that the user cannot see belong to its
 * backup too.
 */
export function missingOnObjects(
  server: PrivilegeServer,
  privilege: string,
  objects: readonly { readonly database: string; readonly table: string }[],
): MissingGrant | undefined {
  const all = unique(objects.map(({ database }) => database));
  const uncovered = new Set(all.filter((name) => !holds(server.grants, [privilege], name)));
  const missing = objects.filter(
    ({ database, table }) =>
      uncovered.has(database) && !holds(server.grants, [privilege], database, table),
  );
  if (missing.length === 0) return undefined;
  const databases = unique(missing.map(({ database }) => database));
  return {
    names: missing.map(({ database, table }) => `${database}.${table}`),
    statements: grantOnDatabases(server, privilege, databases, all),
  };
}

export function databasesWithTables({ tables }: Pick<Contents, 'tables'>): string[] {
  return unique(tables.map(({ database }) => database));
}

/** Each of these, on a database, shows all its tables (measured on both vendors). */
const SHOWING_TABLES = [
  ...['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'REFERENCES', 'INDEX', 'ALTER'],
  ...['CREATE VIEW', 'SHOW VIEW'],
];

/**
 * Databases without TRIGGER, unless each of their tables has TRIGGER of its own. Such grants are
 * known to be complete only where the user sees all tables of the database.
 */
function databasesWithHiddenTriggers({ databases, tables, grants }: PrivilegeServer): string[] {
  return databases.filter((name) => {
    if (holds(grants, ['TRIGGER'], name)) return false;
    if (!holds(grants, SHOWING_TABLES, name)) return true;
    const own = tables.filter(({ database }) => database === name);
    return !own.every(({ table }) => holds(grants, ['TRIGGER'], name, table));
  });
}

/** Each of these shows all routines of a database, some of them without the bodies. */
const SHOWING_ROUTINES = ['EXECUTE', 'CREATE ROUTINE', 'ALTER ROUTINE', 'SHOW CREATE ROUTINE'];

function seesRoutines({ grants, vendor }: PrivilegeServer, database: string): boolean {
  if (holds(grants, ['SHOW_ROUTINE']) || holdsEverywhere(grants, 'SELECT', database)) return true;
  if (holds(grants, SHOWING_ROUTINES, database)) return true;
  return vendor === 'mariadb' && holds(grants, ['SELECT'], 'mysql', 'proc');
}

function onServer(server: PrivilegeServer, privilege: string): MissingGrant {
  return { names: [], statements: [grantOnServer(server, privilege)] };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
