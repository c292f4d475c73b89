/**
 * Draws runs with faults from a seed, does them with the real program against real servers, and judges each from outside: either a
 * good backup or a clear failure. Exit code 1 when one was neither.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { drawPlan } from './draw.ts';
import { judge } from './judge.ts';
import { type Lab, openLab } from './lab.ts';
import type { FaultPlan, Plan } from './plan.ts';
import { type Judged, tellAll, tellFault, tellRun } from './report.ts';
import { runPlan } from './run.ts';
import { shrink } from './shrink.ts';

const HELP = `npm run chaos -- [--runs N] [--seed S] [--only N] [--faults 0,2] [--no-shrink] [--log] [--json]

  --runs N       how many runs, 10 unless given
  --seed S       what they are drawn from, 1 unless given
  --only N       run number N of the seed alone
  --faults 0,2   of its faults only these, counted from 0
  --no-shrink    do not look for the fewest faults that violate
  --log          print the program's log of runs that violate
  --json         a JSON document for each run instead of a line
`;

/** Small disks are mounted; in a mount namespace of our own they go with us, whatever happens. */
const INSIDE = '--inside-namespace';

function options() {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== INSIDE),
    options: {
      runs: { type: 'string', default: '10' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      faults: { type: 'string' },
      'no-shrink': { type: 'boolean', default: false },
      log: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  return values;
}

function enterNamespace(): number {
  const privileges = process.getuid?.() === 0 ? [] : ['--map-root-user'];
  const command = [process.execPath, fileURLToPath(import.meta.url), ...process.argv.slice(2), INSIDE];
  const { status, error } = spawnSync(
    'unshare',
    ['--mount', ...privileges, '--kill-child', '--fork', ...command],
    { stdio: 'inherit' },
  );
  if (error !== undefined) throw error;
  return status ?? 1;
}

async function doRun(lab: Lab, plan: Plan): Promise<Judged & { log: string }> {
  const startedAt = performance.now();
  const { seen, log } = await runPlan(lab, plan);
  return { seen, log, violations: judge(seen), totalSeconds: (performance.now() - startedAt) / 1000 };
}

async function main(): Promise<number> {
  const given = options();
  if (given.help) {
    process.stdout.write(HELP);
    return 0;
  }
  if (!process.argv.includes(INSIDE)) return enterNamespace();
  const seed = Number(given.seed);
  const numbers =
    given.only === undefined
      ? Array.from({ length: Number(given.runs) }, (_, run) => run)
      : [Number(given.only)];
  const chosen = given.faults?.split(',').map(Number);
  const say = (line: string) => process.stdout.write(`${line}\n`);
  const lab = await openLab();
  const all: Judged[] = [];
  try {
    for (const run of numbers) {
      const drawn = drawPlan(seed, run);
      const plan = {
        ...drawn,
        faults: drawn.faults.filter((_fault, index) => chosen?.includes(index) ?? true),
      };
      const judged = await doRun(lab, plan);
      all.push(judged);
      say(given.json ? JSON.stringify({ ...judged, log: undefined }) : tellRun(judged));
      if (judged.violations.length === 0) continue;
      for (const violation of judged.violations) say(`  violation: ${violation}`);
      if (given.log) say(judged.log);
      if (!given['no-shrink']) await tellFewest(lab, plan, drawn.faults, say);
    }
  } finally {
    await lab.stop();
  }
  if (!given.json) say(`\n${tellAll(all)}`);
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
  const indices = fewest.map((fault) => drawn.indexOf(fault)).join(',');
  say(`  fewest faults: ${fewest.map(tellFault).join(' ') || 'none'}`);
  say(`  again: npm run chaos -- --seed ${plan.seed} --only ${plan.run} --faults ${indices} --log`);
}

process.exitCode = await main();
