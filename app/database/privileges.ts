import type { Contents } from '../manifest/completeness.ts';
import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import { escapePattern, globalPrivileges, holds } from './grants.ts';
import type { Inventory } from './inventory.ts';

/**
 * What the server answers to the statement by which this generation of mydumper asks for the
 * position in the binary log. `denied` and `unknown` name the server's error number.
 */
export type PositionAnswer =
  | { readonly kind: 'told' | 'none' }
  | {
      readonly kind: 'denied' | 'unknown';
      readonly statement: string;
      readonly errorNumber: number;
    };

/** What is known of the user and of what it can see. */
export type UserRights = {
  /** The account as CURRENT_USER() tells it, quoted: the one that a GRANT must name. */
  readonly account: string;
  /** Roles that the account has and that a login does not activate, quoted. */
  readonly inactiveRoles: readonly string[];
  readonly position: PositionAnswer;
  readonly writesBinaryLog: boolean;
  /** Databases of which mydumper lists the events, also of such as it does not dump. */
  readonly openedDatabases: readonly string[];
  /** Routines that the user can see but not read, as `database.name`. */
  readonly unreadableRoutines: readonly { readonly database: string; readonly name: string }[];
};

export type PrivilegeServer = Pick<Inventory, 'vendor' | 'version' | 'grants' | 'literalNames'> &
  Pick<Contents, 'databases' | 'tables' | 'views'> &
  UserRights;

export type Circumstances = { readonly generation: Generation; readonly lock: LockPlan };

/** `refused`: exit code 3. `warned`: the backup is made, and lacks what the warning says. */
export type Outcome = 'refused' | 'warned' | 'fine';

/** What is lacking: names for the message, and the statements that cure it. */
type Lack = { readonly names: readonly string[]; readonly statements: readonly string[] };

/**
 * A row of the table in docs/privileges.md. All of it was measured;
 * test/database/privileges.test.ts holds the runs.
 */
export type PrivilegeRow = {
  /** As GRANT names it, by vendor where the names differ. */
  readonly privilege: string;
  readonly on: string;
  readonly generations: readonly Generation[];
  readonly locks: readonly LockPlan[];
  readonly outcome: Outcome;
  /** What mydumper does without it. */
  readonly without: string;
  /**
   * Without it the server shows no triggers or routines, and nobody knows whether there are any.
   */
  readonly hidesPrograms?: boolean;
  /** Generations that need it only for what flags of MYDUMPER_ARGS may leave out. */
  readonly sparedBy?: readonly Generation[];
  readonly lacking: (server: PrivilegeServer) => Lack | undefined;
  /** The message up to the statements. */
  readonly says: (names: string) => string;
};

/** A missing privilege and how it is met. */
export type MissingPrivilege = {
  readonly privilege: string;
  readonly outcome: Exclude<Outcome, 'fine'>;
  /** One line that ends in the statements to run. */
  readonly line: string;
  /** Flags of MYDUMPER_ARGS may leave out all that needs it. */
  readonly sparable: boolean;
};

const BOTH: readonly Generation[] = ['classic', 'modern'];
const ALL_LOCKS: readonly LockPlan[] = ['ftwrl', 'lock-all', 'safe-no-lock', 'none'];

/** What mydumper needs to read everything, however it locks. The order is that of the messages. */
export const READING: readonly PrivilegeRow[] = [
  {
    privilege: 'SELECT',
    on: 'each table and view',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump fails at the first of them, also where SELECT is granted on columns',
    sparedBy: BOTH,
    lacking: (server) => lackingOnObjects(server, 'SELECT', [...server.tables, ...server.views]),
    says: (names) => `may not read (SELECT): ${names}`,
  },
  {
    privilege: 'SHOW VIEW',
    on: 'each view',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump fails at the first view',
    sparedBy: BOTH,
    lacking: (server) => lackingOnObjects(server, 'SHOW VIEW', server.views),
    says: (names) => `may not read the definitions of views (SHOW VIEW): ${names}`,
  },
  {
    privilege: 'EVENT',
    on: 'each database that mydumper opens',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump fails at SHOW EVENTS, whether there are events or not',
    sparedBy: ['modern'],
    lacking: (server) => lackingOnDatabases(server, 'EVENT', server.openedDatabases),
    says: (names) =>
      `may not list the events (EVENT), which mydumper does in each database it opens: ${names}`,
  },
  {
    privilege: 'TRIGGER',
    on: 'each table',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: 'the server shows no triggers, so the dump has none',
    hidesPrograms: true,
    lacking: (server) => lackingOnDatabases(server, 'TRIGGER', databasesWithHiddenTriggers(server)),
    says: (names) => `cannot see triggers (TRIGGER), so the backup may lack some, of ${names}`,
  },
  {
    privilege:
      'SELECT on *.*, or SHOW_ROUTINE (MySQL 8.0.20 and later), SHOW CREATE ROUTINE (MariaDB 11.3 and later), ' +
      'SELECT on mysql.proc (MariaDB)',
    on: 'each routine, seen by EXECUTE, CREATE ROUTINE or ALTER ROUTINE',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump has no bodies of them, and mydumper exits with 0',
    sparedBy: BOTH,
    lacking: (server) => {
      const { unreadableRoutines: routines } = server;
      if (routines.length === 0) return undefined;
      const databases = unique(routines.map(({ database }) => database));
      const names = routines.map(({ database, name }) => `${database}.${name}`);
      return { names, statements: routineStatements(server, databases) };
    },
    says: (names) => `may not read the bodies of routines: ${names}`,
  },
  {
    privilege:
      'SELECT on *.*, or SHOW_ROUTINE (MySQL 8.0.20 and later), SHOW CREATE ROUTINE (MariaDB 11.3 and later), ' +
      'SELECT on mysql.proc (MariaDB)',
    on: 'each database',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: "the server shows no routines but the user's own, so the dump has no others",
    hidesPrograms: true,
    lacking: (server) => {
      const databases = server.databases.filter((name) => !seesRoutines(server, name));
      if (databases.length === 0) return undefined;
      return { names: databases, statements: routineStatements(server, databases) };
    },
    says: (names) => `cannot see routines of other users, so the backup may lack some, of ${names}`,
  },
  {
    privilege: 'PROCESS',
    on: 'the server',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: 'the dump is right, but sessions that wait for mydumper are not seen',
    lacking: (server) =>
      holds(server.grants, ['PROCESS']) ? undefined : onServer(server, 'PROCESS'),
    says: () =>
      'cannot see other sessions (PROCESS), so nothing ends the dump where it and another session wait for ' +
      "each other's tables",
  },
  ...['BACKUP_ADMIN (MySQL)', 'SLAVE MONITOR (MariaDB)', 'SUPER'].map(
    (privilege): PrivilegeRow => ({
      privilege,
      on: 'the server',
      generations: BOTH,
      locks: ALL_LOCKS,
      outcome: 'fine',
      without: 'nothing changes',
      lacking: () => undefined,
      says: () => '',
    }),
  ),
];

/** What depends on how mydumper locks. */
export const LOCKING: readonly PrivilegeRow[] = [
  {
    privilege: 'RELOAD (MySQL: or FLUSH_TABLES)',
    on: 'the server',
    generations: ['classic'],
    locks: ['ftwrl'],
    outcome: 'refused',
    without: 'mydumper goes on without any consistency, and exits with 1',
    lacking: lackingReload,
    says: () => 'may not take the global read lock (RELOAD)',
  },
  {
    privilege: 'RELOAD (MySQL: or FLUSH_TABLES)',
    on: 'the server',
    generations: ['modern'],
    locks: ['ftwrl'],
    outcome: 'refused',
    without: 'mydumper sends FLUSH TABLES over and over, and crashes (SIGSEGV) sooner or later',
    lacking: lackingReload,
    says: () => 'may not take the global read lock (RELOAD)',
  },
  {
    privilege: 'LOCK TABLES',
    on: 'each database with tables',
    generations: BOTH,
    locks: ['lock-all'],
    outcome: 'refused',
    without: 'the dump fails before it reads anything',
    lacking: lackingLockTables,
    says: (names) => `may not lock tables (LOCK TABLES) of ${names}`,
  },
  {
    privilege: 'REPLICATION CLIENT (MariaDB 10.5 and later: BINLOG MONITOR)',
    on: 'the server',
    generations: ['modern'],
    locks: ['safe-no-lock'],
    outcome: 'refused',
    without: 'mydumper compares no position with no position, and calls any dump consistent',
    lacking: lackingPosition,
    says: () =>
      'may not ask for the position in the binary log, by which LOCK_MODE="safe-no-lock" checks consistency',
  },
  {
    privilege: 'REPLICATION CLIENT (MariaDB 10.5 and later: BINLOG MONITOR)',
    on: 'the server',
    generations: ['classic'],
    locks: ['ftwrl', 'lock-all', 'none'],
    outcome: 'warned',
    without: 'the backup has no position in the binary log; mydumper says nothing',
    lacking: lackingPosition,
    says: () =>
      'may not ask for the position in the binary log, so the backup is of no use as a start for replication ' +
      'or point-in-time recovery',
  },
  {
    privilege: 'REPLICATION CLIENT (MariaDB 10.5 and later: BINLOG MONITOR)',
    on: 'the server',
    generations: ['modern'],
    locks: ['ftwrl', 'lock-all', 'none'],
    outcome: 'warned',
    without:
      'the backup has no position in the binary log; mydumper would dump everything and exit with 1, ' +
      'so it is told to ignore this error',
    lacking: lackingPosition,
    says: () =>
      'may not ask for the position in the binary log, so the backup is of no use as a start for replication ' +
      'or point-in-time recovery',
  },
];

/** The privileges whose lack shows under these circumstances. Pure. */
export function missingPrivileges(
  server: PrivilegeServer,
  circumstances: Circumstances,
  rows: readonly PrivilegeRow[] = [...READING, ...LOCKING],
): MissingPrivilege[] {
  return rows
    .filter(({ generations, locks }) => {
      const { generation, lock } = circumstances;
      return generations.includes(generation) && locks.includes(lock);
    })
    .flatMap((row) => {
      const lack = row.lacking(server);
      if (lack === undefined || row.outcome === 'fine') return [];
      const { privilege, outcome } = row;
      const line = `the MySQL user ${row.says(listNames(lack.names))}; run: ${listStatements(lack.statements)}${roleHint(server)}`;
      return [
        {
          privilege,
          outcome,
          line,
          sparable: row.sparedBy?.includes(circumstances.generation) === true,
        },
      ];
    });
}

/** Why the backup may lack programs that its user cannot see; goes into the manifest. */
export function unseenPrograms(server: PrivilegeServer): string[] {
  const lines = READING.filter(({ hidesPrograms }) => hidesPrograms).flatMap(
    ({ lacking, says }) => {
      const names = lacking(server)?.names;
      return names === undefined ? [] : [`the MySQL user ${says(listNames(names))}`];
    },
  );
  const withoutEvents = server.databases.filter((name) => !holds(server.grants, ['EVENT'], name));
  if (withoutEvents.length === 0) return lines;
  const events = `cannot see events (EVENT), so the backup may lack some, of ${listNames(withoutEvents)}`;
  return [...lines, `the MySQL user ${events}`];
}

/** What the user lacks for the locks of a plan; undefined where it may take them. */
export function missingLock(
  server: PrivilegeServer,
  lock: 'ftwrl' | 'lock-all',
): { readonly databases: readonly string[]; readonly statements: string } | undefined {
  const lack = lock === 'ftwrl' ? lackingReload(server) : lackingLockTables(server);
  return lack && { databases: lack.names, statements: listStatements(lack.statements) };
}

/**
 * Why mydumper records no position in the binary log; undefined where it does. Goes into the
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

/** The privilege by which a user may ask for the position. */
export function positionPrivilege({
  vendor,
  version,
}: Pick<Inventory, 'vendor' | 'version'>): string {
  return vendor === 'mariadb' && isAtLeast(version, 10, 5)
    ? 'BINLOG MONITOR'
    : 'REPLICATION CLIENT';
}

function lackingReload(server: PrivilegeServer): Lack | undefined {
  return holds(server.grants, ['RELOAD', 'FLUSH_TABLES']) ? undefined : onServer(server, 'RELOAD');
}

function lackingLockTables(server: PrivilegeServer): Lack | undefined {
  return lackingOnDatabases(server, 'LOCK TABLES', databasesWithTables(server));
}

/**
 * The server itself was asked: a role, SUPER on some versions, and later privileges let a user ask
 * too.
 */
function lackingPosition(server: PrivilegeServer): Lack | undefined {
  if (server.position.kind !== 'denied' || !server.writesBinaryLog) return undefined;
  return onServer(server, positionPrivilege(server));
}

function lackingOnDatabases(
  server: PrivilegeServer,
  privilege: string,
  databases: readonly string[],
): Lack | undefined {
  const names = databases.filter((name) => !holds(server.grants, [privilege], name));
  if (names.length === 0) return undefined;
  return { names, statements: databaseStatements(server, privilege, names, databases) };
}

/**
 * The statements grant it on the whole database: objects that the user cannot see belong to its
 * backup too.
 */
function lackingOnObjects(
  server: PrivilegeServer,
  privilege: string,
  objects: readonly { readonly database: string; readonly table: string }[],
): Lack | undefined {
  const all = unique(objects.map(({ database }) => database));
  const uncovered = new Set(all.filter((name) => !holds(server.grants, [privilege], name)));
  const lacking = objects.filter(
    ({ database, table }) =>
      uncovered.has(database) && !holds(server.grants, [privilege], database, table),
  );
  if (lacking.length === 0) return undefined;
  const databases = unique(lacking.map(({ database }) => database));
  return {
    names: lacking.map(({ database, table }) => `${database}.${table}`),
    statements: databaseStatements(server, privilege, databases, all),
  };
}

export function databasesWithTables({ tables }: Pick<Contents, 'tables'>): string[] {
  return unique(tables.map(({ database }) => database));
}

/** Those of which a table is not covered by TRIGGER on itself either. */
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

/**
 * On older MariaDB the bodies are in a system table, and a user who may read it sees its database,
 * too.
 */
function routineStatements(server: PrivilegeServer, databases: readonly string[]): string[] {
  const { vendor, version } = server;
  if (vendor === 'mysql')
    return [
      grantStatement(server, isAtLeast(version, 8, 0, 20) ? 'SHOW_ROUTINE' : 'SELECT', '*.*'),
    ];
  if (isAtLeast(version, 11, 3))
    return databases.map((name) =>
      grantStatement(server, 'SHOW CREATE ROUTINE', levelOf(server, name)),
    );
  return [
    grantStatement(server, 'SELECT', '`mysql`.`proc`'),
    ...(holds(server.grants, ['EVENT'], 'mysql')
      ? []
      : [grantStatement(server, 'EVENT', '`mysql`.*')]),
  ];
}

function onServer(server: PrivilegeServer, privilege: string): Lack {
  return { names: [], statements: [grantStatement(server, privilege, '*.*')] };
}

/** Privileges that make a database visible when they are held on everything. */
const ON_DATABASES = ['SELECT', 'SHOW VIEW', 'TRIGGER', 'EVENT', 'LOCK TABLES'];

/**
 * One statement for everything where the user sees all databases anyway and lacks the privilege in
 * each; otherwise one for each database, since more would make other databases visible, and dumped.
 */
function databaseStatements(
  server: PrivilegeServer,
  privilege: string,
  lacking: readonly string[],
  asked: readonly string[],
): string[] {
  const global = globalPrivileges(server.grants);
  const seesAll = ON_DATABASES.some((name) => global.has(name)) && !global.has(privilege);
  if (seesAll && lacking.length === asked.length) return [grantStatement(server, privilege, '*.*')];
  return lacking.map((name) => grantStatement(server, privilege, levelOf(server, name)));
}

function levelOf({ literalNames }: PrivilegeServer, database: string): string {
  return `${quoteName(literalNames ? database : escapePattern(database))}.*`;
}

function grantStatement({ account }: UserRights, privilege: string, level: string): string {
  return `GRANT ${privilege} ON ${level} TO ${account};`;
}

export function quoteName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `user@host` as CURRENT_USER() tells it. A host holds no @, a user may. */
export function quoteAccount(account: string): string {
  const at = account.lastIndexOf('@');
  return `${quoteName(account.slice(0, at))}@${quoteName(account.slice(at + 1))}`;
}

/**
 * A role that is granted and not active is the usual reason why a privilege seems to be missing.
 */
function roleHint({ inactiveRoles, account }: PrivilegeServer): string {
  const [first, ...others] = inactiveRoles;
  if (first === undefined) return '';
  const statement = first.includes('@')
    ? `SET DEFAULT ROLE ALL TO ${account};`
    : `SET DEFAULT ROLE ${first} FOR ${account};`;
  const which = others.length === 0 ? first : [first, ...others].join(', ');
  return ` or, where a role has it that a login does not activate (${which}): ${statement}`;
}

const SHOWN_NAMES = 3;
const SHOWN_STATEMENTS = 5;

export function listNames(names: readonly string[]): string {
  const shown = names
    .slice(0, SHOWN_NAMES)
    .map((name) => JSON.stringify(name))
    .join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}

function listStatements(statements: readonly string[]): string {
  const shown = statements.slice(0, SHOWN_STATEMENTS).join(' ');
  const more = statements.length - SHOWN_STATEMENTS;
  return more > 0 ? `${shown} and the same for ${more} more databases` : shown;
}

function unique(names: readonly string[]): string[] {
  return [...new Set(names)];
}

/** Compares the numbers a version begins with. */
export function isAtLeast(version: string, ...wanted: readonly number[]): boolean {
  const numbers = version.split(/[^\d]/, wanted.length).map(Number);
  for (const [index, number] of wanted.entries()) {
    const own = numbers[index] ?? 0;
    if (own !== number) return own > number;
  }
  return true;
}
