import type { LockMode } from '../config.ts';
import { Failure } from '../errors.ts';
import { isTransactional } from '../manifest/completeness.ts';
import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Inventory } from './inventory.ts';
import { databasesWithTables } from './missing-grants.ts';
import { listNames } from './names.ts';
import { LOCKING } from './privilege-table.ts';
import { missingLock, missingPrivileges, positionUnavailable } from './privileges.ts';
import type { PrivilegeServer } from './user-rights.ts';

export type LockChoice = {
  readonly plan: LockPlan;
  /** How consistent a restored copy is; goes to the log and the manifest. */
  readonly consistency: string;
  readonly reason: string;
  /** Where the backup is less consistent than expected, and which privileges are missing. */
  readonly warnings: readonly string[];
  /** Why mydumper can record no binary log position, for the manifest; undefined if it can. */
  readonly positionUnavailable: string | undefined;
  /** Numbers of the errors with which the server answers when mydumper asks for the position. */
  readonly ignoredErrors: readonly number[];
};

/** The facts that the choice depends on. */
export type Lockable = PrivilegeServer & Pick<Inventory, 'managedByAws'>;

const CONSISTENCY: Readonly<Record<LockPlan, string>> = {
  ftwrl: 'one point in time for all tables, taken under FLUSH TABLES WITH READ LOCK',
  'lock-all': 'one point in time for all tables, taken under LOCK TABLES ... READ',
  'safe-no-lock': 'one point in time for transactional tables, checked by the binary log position',
  none: 'none across tables: threads may have read at different moments',
};

/**
 * Chooses how mydumper gets a consistent view. `auto` takes the global lock if the user may, else
 * table locks. Servers such as RDS and Aurora refuse the global lock, and 0.10 would then continue
 * without any consistency.
 * @throws Failure `preflight` when this user may take no consistent lock, or not the requested one.
 */
export function chooseLocking(
  mode: LockMode,
  generation: Generation,
  server: Lockable,
): LockChoice {
  const { plan, reason } =
    mode === 'auto' ? choosePlan(server) : { plan: mode, reason: `LOCK_MODE is ${mode}` };
  requireSupport(plan, generation, server);
  const missing = missingPrivileges(server, { generation, lock: plan }, LOCKING);
  const [refused] = missing.filter(({ outcome }) => outcome === 'refused');
  if (refused !== undefined)
    throw new Failure('preflight', `LOCK_MODE="${plan}": ${refused.line} or set LOCK_MODE=auto`);
  const { position, writesBinaryLog } = server;
  const unavailable = positionUnavailable(server);
  const noPosition =
    `the backup will have no position in the binary log: ${unavailable}; ` +
    'use mydumper 1.x (MYDUMPER_BIN)';
  const { consistency, warnings } = consistencyOf(plan, generation, server);
  return {
    plan,
    reason,
    consistency,
    warnings: [
      ...warnings,
      ...missing.map(({ line }) => line),
      ...(position.kind === 'unknown' && writesBinaryLog ? [noPosition] : []),
    ],
    positionUnavailable: unavailable,
    ignoredErrors:
      generation === 'modern' && 'errorNumber' in position ? [position.errorNumber] : [],
  };
}

function choosePlan(server: Lockable): { plan: LockPlan; reason: string } {
  const { managedByAws } = server;
  const serverLock = missingLock(server, 'ftwrl');
  if (serverLock === undefined && !managedByAws)
    return { plan: 'ftwrl', reason: 'the user may take the global read lock' };
  const tableLocks = missingLock(server, 'lock-all');
  if (tableLocks === undefined) {
    const reason = managedByAws
      ? 'RDS and Aurora refuse the global read lock; the user may lock tables'
      : 'the user may lock tables, not the server';
    return { plan: 'lock-all', reason };
  }
  const { databases, statements } = tableLocks;
  const where =
    databases.length === databasesWithTables(server).length ? '' : ` of ${listNames(databases)}`;
  const [cannot, grants] = managedByAws
    ? [`may not lock tables${where} (LOCK TABLES)`, statements]
    : [
        `may neither take the global read lock (RELOAD) nor lock tables${where} (LOCK TABLES)`,
        `${serverLock?.statements} or: ${statements}`,
      ];
  throw new Failure(
    'preflight',
    `the MySQL user ${cannot}, so no consistent backup is possible; run: ${grants} ` +
      'or leave those databases out by DATABASES, ' +
      'or set LOCK_MODE=none to accept an inconsistent backup',
  );
}

/** @throws Failure `preflight` if mydumper or the server does not support the plan for any user. */
function requireSupport(plan: LockPlan, generation: Generation, server: Lockable): void {
  const refuse = (why: string) => {
    throw new Failure('preflight', `LOCK_MODE="${plan}": ${why}`);
  };
  if (plan === 'ftwrl' && server.managedByAws)
    refuse('RDS and Aurora refuse the global read lock, regardless of grants; use lock-all');
  if (plan !== 'safe-no-lock') return;
  if (generation === 'classic')
    refuse('mydumper 0.10 cannot do that; use lock-all or mydumper 1.x');
  const unavailable = positionUnavailable(server);
  const isDenied = server.position.kind === 'denied' && server.writesBinaryLog;
  if (unavailable !== undefined && !isDenied)
    refuse(
      'mydumper checks consistency by the position in the binary log, ' +
        `but ${unavailable}; use lock-all`,
    );
}

/**
 * 0.10 must release table locks before it reads rows (see `releasesLocksEarly`). 1.x releases every
 * lock at that point. Afterwards rows of tables without transactions may change.
 */
function consistencyOf(
  plan: LockPlan,
  generation: Generation,
  server: Lockable,
): Pick<LockChoice, 'consistency' | 'warnings'> {
  const unprotected = server.tables.filter(({ engine }) => !isTransactional(engine));
  const held = plan === 'none' || (plan === 'ftwrl' && generation === 'classic');
  if (held || unprotected.length === 0) return { consistency: CONSISTENCY[plan], warnings: [] };
  const names = listNames(unprotected.map(({ database, table }) => `${database}.${table}`));
  const promise = CONSISTENCY[plan].replace('all tables', 'transactional tables');
  return {
    consistency: `${promise}; each other table as it was when it was read`,
    warnings: [
      'tables without transactions are read after the locks were released, so they may be of a ' +
        `later moment than the others: ${names}; ${wayOutOf(generation, server)}`,
    ],
  };
}

function wayOutOf(generation: Generation, server: Lockable): string {
  if (server.managedByAws) return 'make them InnoDB';
  if (generation === 'modern')
    return 'make them InnoDB, or use mydumper 0.10 with the global read lock';
  const missing = missingLock(server, 'ftwrl');
  const lock = missing === undefined ? 'set LOCK_MODE=ftwrl' : `run: ${missing.statements}`;
  return `make them InnoDB, or ${lock}`;
}
