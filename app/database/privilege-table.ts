import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import {
  type MissingGrant,
  missingLockTables,
  missingOnDatabases,
  missingOnObjects,
  missingPosition,
  missingProcess,
  missingReload,
  missingRoutineBodies,
  missingRoutines,
  missingTrigger,
  missingTriggerBodies,
} from './missing-grants.ts';
import type { PrivilegeServer } from './user-rights.ts';

/** `refused`: exit code 3. `warned`: the backup is made without the part that the warning names. */
export type Outcome = 'refused' | 'warned' | 'fine';

/**
 * A row of the table in docs/privileges.md. Each row was measured;
 * test/database/privileges.test.ts checks the table against the recorded runs.
 */
export type PrivilegeRow = {
  /** As GRANT names it, by vendor if the names differ. */
  readonly privilege: string;
  readonly on: string;
  readonly generations: readonly Generation[];
  readonly locks: readonly LockPlan[];
  readonly outcome: Outcome;
  /** What mydumper does without it. */
  readonly without: string;
  /** Without it the dump may lack triggers or routines, or their bodies. The manifest says so. */
  readonly hidesPrograms?: boolean;
  /** Generations that need it only for objects that flags of MYDUMPER_ARGS may leave out. */
  readonly sparedBy?: readonly Generation[];
  readonly missing: (server: PrivilegeServer) => MissingGrant | undefined;
  /** The message up to the statements. */
  readonly says: (names: string) => string;
};

const BOTH: readonly Generation[] = ['classic', 'modern'];
const ALL_LOCKS: readonly LockPlan[] = ['ftwrl', 'lock-all', 'safe-no-lock', 'none'];
const SHOWS_ROUTINES =
  'SELECT on *.*, or SHOW_ROUTINE (MySQL 8.0.20 and later), ' +
  'SHOW CREATE ROUTINE (MariaDB 11.3 and later), SELECT on mysql.proc (MariaDB)';

/** Privileges that mydumper needs to read everything, in any lock mode. In the messages' order. */
export const READING: readonly PrivilegeRow[] = [
  {
    privilege: 'SELECT',
    on: 'each table and view',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump fails at the first of them, also where SELECT is granted on columns',
    sparedBy: BOTH,
    missing: (server) => missingOnObjects(server, 'SELECT', [...server.tables, ...server.views]),
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
    missing: (server) => missingOnObjects(server, 'SHOW VIEW', server.views),
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
    missing: (server) => missingOnDatabases(server, 'EVENT', server.openedDatabases),
    says: (names) =>
      `may not list the events (EVENT), which mydumper does in each database it opens: ${names}`,
  },
  {
    privilege: 'TRIGGER',
    on: 'each table whose triggers MariaDB names, for INSERT, UPDATE or DELETE',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump fails at the first of them; 0.10 crashes (SIGSEGV)',
    sparedBy: BOTH,
    missing: missingTriggerBodies,
    says: (names) => `may not read the triggers (TRIGGER) of ${names}`,
  },
  {
    privilege: 'TRIGGER',
    on: 'each table',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: 'the server shows no triggers, so the dump has none',
    hidesPrograms: true,
    missing: missingTrigger,
    says: (names) => `cannot see triggers (TRIGGER), so the backup may lack some, of ${names}`,
  },
  {
    privilege: SHOWS_ROUTINES,
    on: 'each routine, seen by EXECUTE, CREATE ROUTINE or ALTER ROUTINE',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'refused',
    without: 'the dump has no bodies of them, and mydumper exits with 0',
    hidesPrograms: true,
    sparedBy: BOTH,
    missing: missingRoutineBodies,
    says: (names) => `may not read the bodies of routines: ${names}`,
  },
  {
    privilege: SHOWS_ROUTINES,
    on: 'each database',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: "the server shows only the user's own routines, so the dump has no other",
    hidesPrograms: true,
    missing: missingRoutines,
    says: (names) => `cannot see routines of other users, so the backup may lack some, of ${names}`,
  },
  {
    privilege: 'PROCESS',
    on: 'the server',
    generations: BOTH,
    locks: ALL_LOCKS,
    outcome: 'warned',
    without: 'the dump is right, but the program does not see sessions that wait for mydumper',
    missing: missingProcess,
    says: () =>
      'cannot see other sessions (PROCESS), so nothing ends the dump where it and another ' +
      "session wait for each other's tables",
  },
  ...['BACKUP_ADMIN (MySQL)', 'SLAVE MONITOR (MariaDB)', 'SUPER'].map(
    (privilege): PrivilegeRow => ({
      privilege,
      on: 'the server',
      generations: BOTH,
      locks: ALL_LOCKS,
      outcome: 'fine',
      without: 'nothing changes',
      missing: () => undefined,
      says: () => '',
    }),
  ),
];

const RELOAD = 'RELOAD (MySQL: or FLUSH_TABLES)';
const ASKS_FOR_POSITION = 'REPLICATION CLIENT (MariaDB 10.5 and later: BINLOG MONITOR)';
const NO_POSITION =
  'may not ask for the position in the binary log, so the backup is of no use as a start for ' +
  'replication or point-in-time recovery';

/** Privileges that depend on how mydumper locks. */
export const LOCKING: readonly PrivilegeRow[] = [
  {
    privilege: RELOAD,
    on: 'the server',
    generations: ['classic'],
    locks: ['ftwrl'],
    outcome: 'refused',
    without: 'mydumper continues without any consistency, and exits with 1',
    missing: missingReload,
    says: () => 'may not take the global read lock (RELOAD)',
  },
  {
    privilege: RELOAD,
    on: 'the server',
    generations: ['modern'],
    locks: ['ftwrl'],
    outcome: 'refused',
    without: 'mydumper sends FLUSH TABLES over and over, and crashes (SIGSEGV) sooner or later',
    missing: missingReload,
    says: () => 'may not take the global read lock (RELOAD)',
  },
  {
    privilege: 'LOCK TABLES',
    on: 'each database with tables',
    generations: BOTH,
    locks: ['lock-all'],
    outcome: 'refused',
    without: 'the dump fails before it reads anything',
    missing: missingLockTables,
    says: (names) => `may not lock tables (LOCK TABLES) of ${names}`,
  },
  {
    privilege: ASKS_FOR_POSITION,
    on: 'the server',
    generations: ['modern'],
    locks: ['safe-no-lock'],
    outcome: 'refused',
    without: 'mydumper compares two missing positions, and calls any dump consistent',
    missing: missingPosition,
    says: () =>
      'may not ask for the position in the binary log, which LOCK_MODE="safe-no-lock" needs to ' +
      'check consistency',
  },
  {
    privilege: ASKS_FOR_POSITION,
    on: 'the server',
    generations: ['classic'],
    locks: ['ftwrl', 'lock-all', 'none'],
    outcome: 'warned',
    without: 'the backup has no position in the binary log; mydumper reports nothing',
    missing: missingPosition,
    says: () => NO_POSITION,
  },
  {
    privilege: ASKS_FOR_POSITION,
    on: 'the server',
    generations: ['modern'],
    locks: ['ftwrl', 'lock-all', 'none'],
    outcome: 'warned',
    without:
      'the backup has no position in the binary log; mydumper would dump everything and exit ' +
      'with 1, so the program makes mydumper ignore this error',
    missing: missingPosition,
    says: () => NO_POSITION,
  },
];
