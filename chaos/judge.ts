import { EXIT, EXIT_MEANINGS } from '../app/contract.ts';
import { isDumpFileName, isOurs } from '../app/staging/directory.ts';
import { kindOf } from './kinds.ts';
import { type FaultPlan, type Plan, VICTIM } from './plan.ts';

/** What was seen from outside of one run and of what it left. */
export type Observation = {
  readonly plan: Plan;
  /** Faults that met something. */
  readonly struck: readonly FaultPlan[];
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly seconds: number;
  /** It had to be killed for not ending. */
  readonly overdue: boolean;
  /** Of the `failed` events in its log. */
  readonly failures: readonly { readonly reason: string; readonly exitCode: number }[];
  readonly spokeNothing: boolean;
  readonly printedSecret: boolean;
  readonly peakStagedBytes: number;
  readonly leftInStaging: readonly string[];
  readonly processes: readonly string[];
  /** Keys of manifests that were not there before. */
  readonly manifests: readonly string[];
  /** Keys of multipart uploads that were not there before and whose abort S3 did not refuse. */
  readonly uploads: readonly string[];
  /** What happened to things of others: files, objects, uploads. */
  readonly damage: readonly string[];
  /**
   * The check of the backup, if it has a manifest: the result of `verify --full`, and the
   * differences of the loaded databases.
   */
  readonly faultsOfBackup: readonly string[] | undefined;
  /** The next run in the same staging directory, where one was made. */
  readonly nextRun:
    | { readonly exitCode: number | null; readonly left: readonly string[]; readonly said: string }
    | undefined;
};

const MIB = 1024 * 1024;
/** Of `signal`s that end it with no chance to clear up, as a second SIGTERM is meant to. */
const ABRUPT = new Set(['us-kill', 'us-term-twice']);
/** A reason that says so of a manifest whose request was never answered. */
const MAY_BE_THERE = /may be there|may have written/;

/** What is wrong with a run; nothing when it was either a good backup or a clear failure. Pure. */
export function judge(seen: Observation): string[] {
  return [
    ...judgeAlways(seen),
    ...(seen.exitCode === EXIT.done ? judgeSuccess(seen) : judgeFailure(seen)),
    ...judgeNextRun(seen),
  ];
}

function judgeAlways(seen: Observation): string[] {
  const budgetBytes = seen.plan.budgetMiB * MIB;
  return [
    ...when(seen.overdue, `it did not end within its bound (${seen.seconds.toFixed(1)} s)`),
    ...when(seen.printedSecret, 'its output holds the password'),
    ...when(
      seen.peakStagedBytes > budgetBytes,
      `staging held ${seen.peakStagedBytes} bytes, the budget is ${budgetBytes}`,
    ),
    ...when(seen.processes.length > 0, `processes were left: ${seen.processes.join(' | ')}`),
    ...seen.damage.map((what) => `something of others was touched: ${what}`),
    ...when(
      seen.manifests.length > 1,
      `there is more than one manifest: ${seen.manifests.join(', ')}`,
    ),
    // With any exit code a manifest says that the backup exists.
    ...(seen.faultsOfBackup ?? []).map(
      (fault) => `there is a manifest over a bad backup: ${fault}`,
    ),
  ];
}

function judgeSuccess(seen: Observation): string[] {
  return [
    ...when(seen.manifests.length === 0, 'exit 0 without a manifest'),
    ...when(
      seen.manifests.length > 0 && seen.faultsOfBackup === undefined,
      'the backup was not checked',
    ),
    ...when(seen.failures.length > 0, 'exit 0 after a `failed` event'),
    ...left(seen, () => false),
    ...when(
      seen.uploads.length > 0,
      `exit 0 with multipart uploads left: ${seen.uploads.join(', ')}`,
    ),
  ];
}

function judgeFailure(seen: Observation): string[] {
  const { exitCode, signal, struck } = seen;
  const kinds = struck.map(({ kind }) => kind);
  const wasKilled = signal === 'SIGKILL' && kinds.includes('us-kill');
  if (wasKilled) return []; // what it left is the next run's business
  if (signal !== null) {
    const early =
      seen.spokeNothing &&
      kinds.some((kind) => kind.startsWith('us-')) &&
      /SIG(?:TERM|INT)/.test(signal);
    return when(!early && !seen.overdue, `it was ended by ${signal}`);
  }
  const abrupt = kinds.some((kind) => ABRUPT.has(kind));
  const reasons = seen.failures.map(({ reason }) => reason);
  const mayBeThere = reasons.some((reason) => MAY_BE_THERE.test(reason));
  return [
    ...when(
      !EXIT_MEANINGS.some(([code]) => code === exitCode),
      `exit code ${exitCode} is not documented`,
    ),
    ...(abrupt && seen.failures.length === 0 ? [] : judgeReason(seen)),
    ...when(
      seen.manifests.length > 0 && !abrupt && !mayBeThere,
      `exit ${exitCode} with a manifest`,
    ),
    ...(abrupt
      ? []
      : left(
          seen,
          (name) => exitCode === EXIT.uploadFailed && (isDumpFileName(name) || isOurs(name)),
        )),
    ...when(
      !abrupt && seen.uploads.length > 0,
      `multipart uploads were left: ${seen.uploads.join(', ')}`,
    ),
  ];
}

function judgeReason(seen: Observation): string[] {
  const { exitCode, failures, struck, plan } = seen;
  const [failure] = failures;
  if (failure === undefined || failures.length > 1)
    return [`exit ${exitCode} with ${failures.length} reasons`];
  if (failure.exitCode !== exitCode)
    return [`exit ${exitCode}, but it reported exit ${failure.exitCode}`];
  const explained = struck.some(({ kind }) =>
    kindOf(kind).explains.some(
      ({ code, reason }) => code === exitCode && reason.test(failure.reason),
    ),
  );
  const ridden = struck.filter(({ kind }) => kindOf(kind).riddenOut).length;
  const mustSucceed =
    ridden === struck.length && !plan.faults.some(({ kind }) => kindOf(kind).lasting);
  if (mustSucceed)
    return [
      `exit ${exitCode} although nothing struck except faults to be ridden out: ${failure.reason}`,
    ];
  return when(
    !explained,
    `exit ${exitCode}: no fault that struck accounts for it: ${failure.reason}`,
  );
}

function left({ leftInStaging }: Observation, mayStay: (name: string) => boolean): string[] {
  const names = leftInStaging.filter((name) => !mayStay(name) || name.endsWith('.cnf'));
  return when(names.length > 0, `files were left in staging: ${names.join(', ')}`);
}

function judgeNextRun({ nextRun }: Observation): string[] {
  if (nextRun === undefined) return [];
  return [
    ...when(
      nextRun.exitCode !== EXIT.done,
      `the next run ended with exit ${nextRun.exitCode}: ${nextRun.said}`,
    ),
    ...when(nextRun.left.length > 0, `the next run left in staging: ${nextRun.left.join(', ')}`),
  ];
}

/**
 * Differences between the source and the loaded databases, without those that the faults cause. A
 * table that a fault dropped may be missing. A table that a fault altered may be as before or
 * after, with all its rows.
 */
export function unexplained(
  differences: readonly string[],
  struck: readonly FaultPlan[],
): string[] {
  const kinds = struck.map(({ kind }) => kind);
  const table = `table \`${VICTIM.database}\`.\`${VICTIM.name}\``;
  return differences.filter((line) => {
    if (kinds.includes('db-drop-table') && line === `${table} is missing`) return false;
    const altered = ['create', 'digest'].some((fact) => line.startsWith(`${table}: ${fact}:`));
    return !(kinds.includes('db-alter-table') && altered);
  });
}

function when(condition: boolean, violation: string): string[] {
  return condition ? [violation] : [];
}
