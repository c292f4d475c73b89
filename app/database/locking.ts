import type { LockMode } from '../config.ts';
import { Failure } from '../errors.ts';
import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import { globalPrivileges, privilegesOn } from './grants.ts';
import type { Inventory } from './inventory.ts';

export type LockChoice = {
  readonly plan: LockPlan;
  /** What a restored copy can be relied on for; goes to the log and the manifest. */
  readonly consistency: string;
  readonly reason: string;
};

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
export function chooseLocking(
  mode: LockMode,
  generation: Generation,
  server: Pick<Inventory, 'grants' | 'databases' | 'managedByAws'>,
): LockChoice {
  if (mode === 'safe-no-lock' && generation === 'classic') {
    throw new Failure(
      'preflight',
      'LOCK_MODE="safe-no-lock": mydumper 0.10 cannot do that; use lock-all or mydumper 1.x',
    );
  }
  if (mode !== 'auto') return { plan: mode, consistency: CONSISTENCY[mode], reason: `LOCK_MODE is ${mode}` };
  const global = globalPrivileges(server.grants);
  const mayLockServer = ['RELOAD', 'FLUSH_TABLES', 'ALL PRIVILEGES'].some((name) => global.has(name));
  if (mayLockServer && !server.managedByAws) {
    return {
      plan: 'ftwrl',
      consistency: CONSISTENCY.ftwrl,
      reason: 'the user may take the global read lock',
    };
  }
  const unlockable = server.databases.filter((name) => !mayLockTablesOf(server.grants, name));
  if (unlockable.length === 0) {
    return {
      plan: 'lock-all',
      consistency: CONSISTENCY['lock-all'],
      reason: server.managedByAws
        ? 'RDS and Aurora refuse the global read lock; the user may lock tables'
        : 'the user may lock tables, not the server',
    };
  }
  throw new Failure('preflight', refusal(server, unlockable));
}

function mayLockTablesOf(grants: readonly string[], database: string): boolean {
  const held = privilegesOn(grants, database);
  return held.has('LOCK TABLES') || held.has('ALL PRIVILEGES');
}

const SHOWN_DATABASES = 3;

function refusal(
  { databases, managedByAws }: Pick<Inventory, 'databases' | 'managedByAws'>,
  unlockable: readonly string[],
): string {
  const shown = unlockable
    .slice(0, SHOWN_DATABASES)
    .map((name) => JSON.stringify(name))
    .join(', ');
  const more = unlockable.length > SHOWN_DATABASES ? ` and ${unlockable.length - SHOWN_DATABASES} more` : '';
  const where = unlockable.length === databases.length ? '' : ` of ${shown}${more}`;
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
