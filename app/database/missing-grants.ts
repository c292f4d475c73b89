import type { Contents } from '../manifest/completeness.ts';
import {
  grantOnDatabases,
  grantOnRoutines,
  grantOnServer,
  positionPrivilege,
} from './grant-statements.ts';
import { holds } from './grants.ts';
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

/** Databases without TRIGGER in which a table has no TRIGGER of its own either. */
function databasesWithHiddenTriggers(server: PrivilegeServer): string[] {
  return databasesWithTables(server).filter((name) => {
    if (holds(server.grants, ['TRIGGER'], name)) return false;
    const tables = server.tables.filter(({ database }) => database === name);
    return !tables.every(({ table }) => holds(server.grants, ['TRIGGER'], name, table));
  });
}

/** Each of these shows all routines of a database, some of them without the bodies. */
const SHOWING_ROUTINES = ['EXECUTE', 'CREATE ROUTINE', 'ALTER ROUTINE', 'SHOW CREATE ROUTINE'];

function seesRoutines({ grants, vendor }: PrivilegeServer, database: string): boolean {
  if (holds(grants, ['SELECT', 'SHOW_ROUTINE']) || holds(grants, SHOWING_ROUTINES, database))
    return true;
  return vendor === 'mariadb' && holds(grants, ['SELECT'], 'mysql', 'proc');
}

function onServer(server: PrivilegeServer, privilege: string): MissingGrant {
  return { names: [], statements: [grantOnServer(server, privilege)] };
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}
