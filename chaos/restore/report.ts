import type { RestoreObservation } from './judge.ts';
import { RESTORE_KINDS, type RestoreFaultKind } from './kinds.ts';
import type { RestoreFault, RestorePlan } from './plan.ts';

export type JudgedRestore = {
  readonly seen: RestoreObservation;
  readonly violations: readonly string[];
  readonly totalSeconds: number;
};

export function describeRestoreFault(fault: RestoreFault): string {
  const { kind, attempt, moment, delayMilliseconds } = fault;
  return `${kind}@${attempt === 0 ? '' : `${attempt + 1}.`}${moment}+${delayMilliseconds}ms`;
}

function describePlan({ shape, threads, transactionMiB, check }: RestorePlan): string {
  const { number, tables, compression, chunkMiB } = shape;
  return (
    `backup ${number}: ${tables.length} tables, -F ${chunkMiB}, ${compression}; ` +
    `${threads} connections, commits of ${transactionMiB} MiB${check ? ', --check' : ''}`
  );
}

const describeFaults = (faults: readonly RestoreFault[]) =>
  faults.map(describeRestoreFault).join(' ');
const endOf = ({ exitCode, signal }: RestoreObservation['attempts'][number]) =>
  String(exitCode ?? signal);

/** One line for each run. */
export function describeRestoreRun({ seen, violations, totalSeconds }: JudgedRestore): string {
  const { plan, attempts } = seen;
  const struck = attempts.flatMap((attempt) => attempt.struck);
  const missed = plan.faults.filter((fault) => !struck.includes(fault));
  const reasons = attempts.flatMap(({ failures }) => failures.map(({ reason }) => reason));
  return [
    `seed ${plan.seed} run ${plan.run}: ${violations.length === 0 ? 'ok' : 'VIOLATION'}, ` +
      `exits ${attempts.map(endOf).join(', ')}, ` +
      `${attempts.map(({ seconds }) => seconds.toFixed(1)).join(' + ')} s of ` +
      `${totalSeconds.toFixed(1)} s`,
    `struck: ${describeFaults(struck) || 'nothing'}` +
      (missed.length === 0 ? '' : `; missed: ${describeFaults(missed)}`),
    describePlan(plan),
    ...reasons.map((reason) => `reason: ${reason}`),
  ].join(' | ');
}

/** Exits, attempts, and faults by kind with the exits of the attempts that they struck. */
export function describeAllRestores(all: readonly JudgedRestore[]): string {
  const attempts = all.flatMap(({ seen }) => seen.attempts);
  const bad = all.filter(({ violations }) => violations.length > 0);
  const compared = all.filter(({ seen }) => seen.attempts.at(-1)?.exitCode === 0).length;
  const unmet = all.filter(({ seen }) => seen.attempts.every(({ struck }) => struck.length === 0));
  const seconds = all.reduce((sum, { totalSeconds }) => sum + totalSeconds, 0);
  const kinds = (Object.keys(RESTORE_KINDS) as RestoreFaultKind[]).map((kind) => {
    const { where, what } = RESTORE_KINDS[kind];
    const drawn = all.filter(({ seen }) => seen.plan.faults.some((each) => each.kind === kind));
    const met = attempts.filter(({ struck }) => struck.some((each) => each.kind === kind));
    const exits = counted(met.map(endOf)).map(([end, count]) => `${end}: ${count}`);
    const cells = [kind, `${where}: ${what}`, drawn.length, met.length, exits.join(', ')];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `${all.length} runs, ${bad.length} with violations, ${attempts.length} attempts, ` +
      `${compared} restores compared with their source`,
    `${unmet.length} ` +
      `runs that no fault met; ${(seconds / Math.max(1, all.length)).toFixed(1)} s a run`,
    '',
    '| attempts until exit 0 | runs |',
    '|---|---|',
    ...counted(all.map(({ seen }) => String(seen.attempts.length))).map(row),
    '',
    '| exit | attempts |',
    '|---|---|',
    ...counted(attempts.map(endOf)).map(row),
    '',
    '| fault | what | drawn | struck | exits of the attempts struck |',
    '|---|---|---|---|---|',
    ...kinds,
    ...bad.flatMap(({ seen, violations }) =>
      violations.map((text) => `seed ${seen.plan.seed} run ${seen.plan.run}: ${text}`),
    ),
  ].join('\n');
}

const row = ([name, count]: readonly [string, number]) => `| ${name} | ${count} |`;

function counted(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
}
