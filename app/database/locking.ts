import type { LockMode } from '../config.ts';
import { Failure } from '../errors.ts';
import type { LockPlan } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import { globalPrivileges } from './grants.ts';

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
export function chooseLocking(mode: LockMode, generation: Generation, grants: readonly string[]): LockChoice {
  if (mode === 'safe-no-lock' && generation === 'classic') {
    throw new Failure(
      'preflight',
      'LOCK_MODE="safe-no-lock": mydumper 0.10 cannot do that; use lock-all or mydumper 1.x',
    );
  }
  if (mode !== 'auto') return { plan: mode, consistency: CONSISTENCY[mode], reason: `LOCK_MODE is ${mode}` };
  const globally = globalPrivileges(grants);
  const may = (...names: string[]) =>
    globally.has('ALL PRIVILEGES') || names.some((name) => globally.has(name));
  if (may('RELOAD', 'FLUSH_TABLES')) {
    return {
      plan: 'ftwrl',
      consistency: CONSISTENCY.ftwrl,
      reason: 'the user may take the global read lock',
    };
  }
  if (may('LOCK TABLES') || grants.some((grant) => /\b(?:LOCK TABLES|ALL PRIVILEGES)\b/.test(grant))) {
    return {
      plan: 'lock-all',
      consistency: CONSISTENCY['lock-all'],
      reason: 'the user may lock tables, not the server',
    };
  }
  throw new Failure(
    'preflight',
    'the MySQL user may neither take the global read lock (RELOAD) nor lock tables (LOCK TABLES), so no consistent backup ' +
      'is possible; grant one of them, or set LOCK_MODE=none to accept an inconsistent one',
  );
}
