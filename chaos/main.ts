/**
 * Draws runs with faults from a seed and makes them with the real program against real servers. It
 * judges each run from outside: either a good backup or a clear failure. Exit code 1 when a run is
 * neither.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inMountNamespace } from '../test/support/mount-namespace.ts';
import { drawPlan } from './draw.ts';
import { judge } from './judge.ts';
import { type Lab, openLab } from './lab.ts';
import { HELP, NO_FAULTS, readOptions } from './options.ts';
import type { FaultPlan, Plan } from './plan.ts';
import { describeAll, describeFault, describeRun, type Judged } from './report.ts';
import { runPlan } from './run.ts';
import { shrink } from './shrink.ts';

/**
 * Mounts small disks in a separate mount namespace, so that they disappear with the process in any
 * case.
 */
const INSIDE = '--inside-namespace';
/** As a shell says of SIGINT. */
const INTERRUPTED = 130;

function enterNamespace(): number {
  const [unshare = '', ...words] = inMountNamespace('--kill-child', '--fork');
  const command = [
    process.execPath,
    fileURLToPath(import.meta.url),
    ...process.argv.slice(2),
    INSIDE,
  ];
  const { status, error } = spawnSync(unshare, [...words, ...command], { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

async function doRun(lab: Lab, plan: Plan): Promise<Judged & { log: string }> {
  const startedAt = performance.now();
  const { seen, log } = await runPlan(lab, plan);
  return {
    seen,
    log,
    violations: judge(seen),
    totalSeconds: (performance.now() - startedAt) / 1000,
  };
}

async function main(): Promise<number> {
  const given = readOptions(process.argv.slice(2).filter((argument) => argument !== INSIDE));
  if (given === undefined) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!process.argv.includes(INSIDE)) return enterNamespace();
  const say = (line: string) => process.stdout.write(`${line}\n`);
  /** What is for people only. */
  const remark = given.json ? (line: string) => process.stderr.write(`${line}\n`) : say;
  // What was begun is finished, so that servers and directories are cleared away.
  let interrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted = true;
    });
  }
  const lab = await openLab();
  const all: Judged[] = [];
  try {
    for (const run of given.runs) {
      if (interrupted) break;
      const drawn = drawPlan(given.seed, run);
      const plan = {
        ...drawn,
        faults: drawn.faults.filter((_fault, index) => given.faults?.includes(index) ?? true),
      };
      const judged = await doRun(lab, plan);
      all.push(judged);
      say(given.json ? JSON.stringify({ ...judged, log: undefined }) : describeRun(judged));
      if (judged.violations.length === 0) continue;
      for (const violation of judged.violations) remark(`  violation: ${violation}`);
      if (given.log) remark(judged.log);
      if (given.shrink) await tellFewest(lab, plan, drawn.faults, remark);
    }
  } finally {
    await lab.stop();
  }
  remark(`\n${describeAll(all)}`);
  if (interrupted) return INTERRUPTED;
  return all.some(({ violations }) => violations.length > 0) ? 1 : 0;
}

async function tellFewest(
  lab: Lab,
  plan: Plan,
  drawn: readonly FaultPlan[],
  say: (line: string) => void,
): Promise<void> {
  const fewest = await shrink(
    plan.faults,
    async (faults) => (await doRun(lab, { ...plan, faults })).violations.length > 0,
  );
  const indices = fewest.map((fault) => drawn.indexOf(fault)).join(',') || NO_FAULTS;
  say(`  fewest faults: ${fewest.map(describeFault).join(' ') || 'none'}`);
  say(`  again: npm run chaos -- --seed ${plan.seed} --only ${plan.run} --faults ${indices} --log`);
}

process.exitCode = await main();
