import type { LockMode } from '../config.ts';
import { Failure } from '../errors.ts';
import { type Contents, isTransactional } from '../manifest/completeness.ts';
import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import { globalPrivileges, privilegesOn } from './grants.ts';
import type { Inventory } from './inventory.ts';

export type LockChoice = {
  readonly plan: LockPlan;
  /** What a restored copy can be relied on for; goes to the log and the manifest. */
  readonly consistency: string;
  readonly reason: string;
  /** What is less consistent than one would expect. */
  readonly warnings: readonly string[];
  /** Why mydumper can record no binary log position, for the manifest; absent where it can. */
  readonly positionUnavailable?: string | undefined;
};

/** What the choice depends on. */
export type Lockable = Pick<Inventory, 'grants' | 'databases' | 'managedByAws'> & Pick<Contents, 'tables'>;

const CONSISTENCY: Readonly<Record<LockPlan, string>> = {
  ftwrl: 'one point in time for all tables, taken under FLUSH TABLES WITH READ LOCK',
  'lock-all': 'one point in time for all tables, taken under LOCK TABLES ... READ',
  'safe-no-lock': 'one point in time for transactional tables, checked by the binary log position',
  none: 'none across tables: threads may have read at different moments',
};

/**
 * How mydumper gets a consistent view. `auto` takes the global lock where the user may, else table locks; servers such
 * as RDS and Aurora refuse the first, and 0.10 would go on without any consistency.
 * @throws Failure `preflight` when no consistent way is open to this user, or mydumper lacks the one asked for.
 */
export function chooseLocking(mode: LockMode, generation: Generation, server: Lockable): LockChoice {
  if (mode === 'safe-no-lock' && generation === 'classic') {
    throw new Failure(
      'preflight',
      'LOCK_MODE="safe-no-lock": mydumper 0.10 cannot do that; use lock-all or mydumper 1.x',
    );
  }
  const choice = (plan: LockPlan, reason: string): LockChoice => ({
    plan,
    reason,
    ...consistencyOf(plan, generation, server),
  });
  if (mode !== 'auto') return choice(mode, `LOCK_MODE is ${mode}`);
  const global = globalPrivileges(server.grants);
  const mayLockServer = ['RELOAD', 'FLUSH_TABLES', 'ALL PRIVILEGES'].some((name) => global.has(name));
  if (mayLockServer && !server.managedByAws) return choice('ftwrl', 'the user may take the global read lock');
  const unlockable = server.databases.filter((name) => !mayLockTablesOf(server.grants, name));
  if (unlockable.length === 0) {
    return choice(
      'lock-all',
      server.managedByAws
        ? 'RDS and Aurora refuse the global read lock; the user may lock tables'
        : 'the user may lock tables, not the server',
    );
  }
  throw new Failure('preflight', refusal(server, unlockable));
}

const SHOWN_NAMES = 3;

/**
 * Under table locks 0.10 releases them before it reads rows (see `releasesLocksEarly`), and 1.x always does
 * (see `modernFlags`). Tables without transactions may change by then.
 */
function consistencyOf(
  plan: LockPlan,
  generation: Generation,
  { tables }: Lockable,
): Pick<LockChoice, 'consistency' | 'warnings'> {
  const unprotected = tables.filter(({ engine }) => !isTransactional(engine));
  const holdsLocks = plan === 'ftwrl' && generation === 'classic';
  if (plan === 'none' || holdsLocks || unprotected.length === 0)
    return { consistency: CONSISTENCY[plan], warnings: [] };
  const names = list(unprotected.map(({ database, table }) => `${database}.${table}`));
  return {
    consistency:
      `${CONSISTENCY[plan].replace('all tables', 'transactional tables')}; ` +
      'each other table as it was when it was read',
    warnings: [
      `tables without transactions are read after the locks were released, so they may be of a later moment than the others: ${names}; ` +
        (generation === 'classic'
          ? 'make them InnoDB, or grant RELOAD where the server allows it'
          : 'make them InnoDB, or use mydumper 0.10 with the global read lock'),
    ],
  };
}

function list(names: readonly string[]): string {
  const shown = names
    .slice(0, SHOWN_NAMES)
    .map((name) => JSON.stringify(name))
    .join(', ');
  return names.length > SHOWN_NAMES ? `${shown} and ${names.length - SHOWN_NAMES} more` : shown;
}

function mayLockTablesOf(grants: readonly string[], database: string): boolean {
  const held = privilegesOn(grants, database);
  return held.has('LOCK TABLES') || held.has('ALL PRIVILEGES');
}

function refusal({ databases, managedByAws }: Lockable, unlockable: readonly string[]): string {
  const where = unlockable.length === databases.length ? '' : ` of ${list(unlockable)}`;
  const [cannot, grant] = managedByAws
    ? [`may not lock tables${where} (LOCK TABLES)`, 'grant LOCK TABLES']
    : [
        `may neither take the global read lock (RELOAD) nor lock tables${where} (LOCK TABLES)`,
        'grant one of them',
      ];
  return (
    `the MySQL user ${cannot}, so no consistent backup is possible; ${grant}, ` +
    'leave those databases out by DATABASES, or set LOCK_MODE=none to accept an inconsistent backup'
  );
}
