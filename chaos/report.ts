import type { Observation } from './judge.ts';
import { KINDS } from './kinds.ts';
import { dumpedBytesOf, type FaultPlan, type Plan } from './plan.ts';

const MIB = 1024 * 1024;

export type Judged = {
  readonly seen: Observation;
  readonly violations: readonly string[];
  readonly totalSeconds: number;
};

export function describeFault({ kind, moment, delayMilliseconds }: FaultPlan): string {
  return `${kind}@${moment}+${delayMilliseconds}ms`;
}

export function describePlan(plan: Plan): string {
  const { tables, budgetMiB, threads, compression, chunkMiB, partMiB, bandwidthBytesPerSecond } =
    plan;
  const size = (dumpedBytesOf(plan) / MIB).toFixed(0);
  return (
    `${size} MiB in ${tables.length} tables, budget ${budgetMiB}, ${threads} threads, -F ` +
    `${chunkMiB}, parts ${partMiB}, ${compression}, ` +
    `${(bandwidthBytesPerSecond / 1e6).toFixed(1)} MB/s`
  );
}

const describeFaults = (faults: readonly FaultPlan[]) => faults.map(describeFault).join(' ');

/** One line for each run. */
export function describeRun({ seen, violations, totalSeconds }: Judged): string {
  const { plan, struck, exitCode, signal, seconds } = seen;
  const missed = plan.faults.filter((fault) => !struck.includes(fault));
  return [
    `seed ${plan.seed} run ${plan.run}: ${violations.length === 0 ? 'ok' : 'VIOLATION'}, ` +
      `exit ${exitCode ?? signal}, ${seconds.toFixed(1)} s of ${totalSeconds.toFixed(1)} s`,
    `struck: ${describeFaults(struck) || 'nothing'}` +
      (missed.length === 0 ? '' : `; missed: ${describeFaults(missed)}`),
    describePlan(plan),
    ...(seen.failures[0] === undefined ? [] : [`reason: ${seen.failures[0].reason}`]),
  ].join(' | ');
}

/** Exits by code, faults by kind, violations. */
export function describeAll(all: readonly Judged[]): string {
  const runs = (test: (seen: Observation) => boolean) =>
    all.filter(({ seen }) => test(seen)).length;
  const exits = new Map<string, number>();
  for (const { seen } of all) {
    const end = String(seen.exitCode ?? seen.signal);
    exits.set(end, (exits.get(end) ?? 0) + 1);
  }
  const kinds = Object.entries(KINDS).map(([kind, { where, what }]) => {
    const drawn = runs(({ plan }) => plan.faults.some((fault) => fault.kind === kind));
    const struck = runs((seen) => seen.struck.some((fault) => fault.kind === kind));
    return `| ${kind} | ${where}: ${what} | ${drawn} | ${struck} |`;
  });
  const bad = all.filter(({ violations }) => violations.length > 0);
  const overManifest = bad.filter(({ violations }) =>
    violations.some((text) => text.includes('manifest over a bad backup')),
  );
  const seconds = all.reduce((sum, { totalSeconds }) => sum + totalSeconds, 0);
  return [
    `${all.length} runs, ${bad.length} with violations, ${overManifest.length} manifests ` +
      'over a bad backup',
    `${runs(({ struck }) => struck.length === 0)} runs that no fault met; ` +
      `${runs(({ manifests }) => manifests.length > 0)} backups loaded and compared; ` +
      `${runs(({ nextRun }) => nextRun !== undefined)} times the next run cleared up; ` +
      `${(seconds / Math.max(1, all.length)).toFixed(1)} s a run`,
    '',
    '| exit | runs |',
    '|---|---|',
    ...[...exits]
      .toSorted(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([end, count]) => `| ${end} | ${count} |`),
    '',
    '| fault | what | drawn | struck |',
    '|---|---|---|---|',
    ...kinds,
    ...bad.flatMap(({ seen, violations }) =>
      violations.map((text) => `seed ${seen.plan.seed} run ${seen.plan.run}: ${text}`),
    ),
  ].join('\n');
}
