import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import { positionPrivilege } from './grant-statements.ts';
import { holds } from './grants.ts';
import { missingLockTables, missingReload } from './missing-grants.ts';
import { listNames } from './names.ts';
import { LOCKING, type Outcome, type PrivilegeRow, READING } from './privilege-table.ts';
import type { PrivilegeServer } from './user-rights.ts';

type Circumstances = { readonly generation: Generation; readonly lock: LockPlan };

/** A missing privilege and how the program reacts to it. */
export type MissingPrivilege = {
  readonly privilege: string;
  readonly outcome: Exclude<Outcome, 'fine'>;
  /** One line that ends in the statements to run. */
  readonly line: string;
  /** Flags of MYDUMPER_ARGS may leave out everything that needs it. */
  readonly sparable: boolean;
};

const SHOWN_STATEMENTS = 5;

/** The missing privileges that matter under these circumstances. Pure. */
export function missingPrivileges(
  server: PrivilegeServer,
  { generation, lock }: Circumstances,
  rows: readonly PrivilegeRow[] = [...READING, ...LOCKING],
): MissingPrivilege[] {
  return rows
    .filter(({ generations, locks }) => generations.includes(generation) && locks.includes(lock))
    .flatMap((row) => {
      const missing = row.missing(server);
      if (missing === undefined || row.outcome === 'fine') return [];
      const { privilege, outcome } = row;
      const cannot = `the MySQL user ${row.says(listNames(missing.names))}`;
      const run = `run: ${listStatements(missing.statements)}${roleHint(server)}`;
      const sparable = row.sparedBy?.includes(generation) === true;
      return [{ privilege, outcome, line: `${cannot}; ${run}`, sparable }];
    });
}

/** Why the backup may lack programs that its user cannot see; goes into the manifest. */
export function unseenPrograms(server: PrivilegeServer): string[] {
  const lines = READING.filter(({ hidesPrograms }) => hidesPrograms).flatMap((row) => {
    const names = row.missing(server)?.names;
    return names === undefined ? [] : [`the MySQL user ${row.says(listNames(names))}`];
  });
  const withoutEvents = server.databases.filter((name) => !holds(server.grants, ['EVENT'], name));
  if (withoutEvents.length === 0) return lines;
  const names = listNames(withoutEvents);
  const events = `cannot see events (EVENT), so the backup may lack some, of ${names}`;
  return [...lines, `the MySQL user ${events}`];
}

/** The grants that the locks of a plan still need; undefined if the user may take them. */
export function missingLock(
  server: PrivilegeServer,
  lock: 'ftwrl' | 'lock-all',
): { readonly databases: readonly string[]; readonly statements: string } | undefined {
  const missing = lock === 'ftwrl' ? missingReload(server) : missingLockTables(server);
  return missing && { databases: missing.names, statements: listStatements(missing.statements) };
}

/**
 * Why mydumper records no position in the binary log; undefined if it does. Goes into the
 * manifest.
 */
export function positionUnavailable(server: PrivilegeServer): string | undefined {
  const { position, writesBinaryLog } = server;
  if (!writesBinaryLog || position.kind === 'none')
    return 'the server writes no binary log (log_bin is OFF)';
  if (position.kind === 'denied')
    return `the MySQL user may not ask for it (it lacks ${positionPrivilege(server)})`;
  if (position.kind === 'unknown')
    return `mydumper asks for it by ${position.statement}, which the server does not know`;
  return undefined;
}

/** A missing privilege is usually in a role that is granted, but that a login does not activate. */
function roleHint({ inactiveRoles, account }: PrivilegeServer): string {
  const [first] = inactiveRoles;
  if (first === undefined) return '';
  const statement = first.includes('@')
    ? `SET DEFAULT ROLE ALL TO ${account};`
    : `SET DEFAULT ROLE ${first} FOR ${account};`;
  const roles = inactiveRoles.join(', ');
  return ` or, if a role that a login does not activate has it (${roles}): ${statement}`;
}

function listStatements(statements: readonly string[]): string {
  const shown = statements.slice(0, SHOWN_STATEMENTS).join(' ');
  const more = statements.length - SHOWN_STATEMENTS;
  return more > 0 ? `${shown} and the same for ${more} more databases` : shown;
}
