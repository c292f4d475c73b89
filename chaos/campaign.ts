import { NO_FAULTS, type Options } from './options.ts';
import { shrink } from './shrink.ts';

type Planned<Fault> = {
  readonly seed: number;
  readonly run: number;
  readonly faults: readonly Fault[];
};
type Violating = { readonly violations: readonly string[] };

/** A kind of runs: how they are drawn, made, judged and described. */
export type Campaign<Plan extends Planned<Fault>, Fault, Judged extends Violating> = {
  /** Words of the command line that select these runs. */
  readonly words: string;
  readonly draw: (seed: number, run: number) => Plan;
  readonly doRun: (plan: Plan) => Promise<{ readonly judged: Judged; readonly log: string }>;
  readonly describeFault: (fault: Fault) => string;
  readonly describeRun: (judged: Judged) => string;
  readonly describeAll: (all: readonly Judged[]) => string;
  readonly stop: () => Promise<void>;
};

/**
 * Makes the runs, and prints a line for each and a table at the end.
 * @returns how many runs violated.
 */
export async function carryOut<Plan extends Planned<Fault>, Fault, Judged extends Violating>(
  campaign: Campaign<Plan, Fault, Judged>,
  given: Options,
  isInterrupted: () => boolean,
): Promise<number> {
  const say = (line: string) => process.stdout.write(`${line}\n`);
  /** What is for people only. */
  const remark = given.json ? (line: string) => process.stderr.write(`${line}\n`) : say;
  const all: Judged[] = [];
  try {
    for (const run of given.runs) {
      if (isInterrupted()) break;
      const drawn = campaign.draw(given.seed, run);
      const plan = {
        ...drawn,
        faults: drawn.faults.filter((_fault, index) => given.faults?.includes(index) ?? true),
      };
      const { judged, log } = await campaign.doRun(plan);
      all.push(judged);
      say(given.json ? JSON.stringify(judged) : campaign.describeRun(judged));
      if (judged.violations.length === 0) continue;
      for (const violation of judged.violations) remark(`  violation: ${violation}`);
      if (given.log) remark(log);
      if (given.shrink) await tellFewest(campaign, plan, drawn.faults, remark);
    }
  } finally {
    await campaign.stop();
  }
  remark(`\n${campaign.describeAll(all)}`);
  return all.filter(({ violations }) => violations.length > 0).length;
}

async function tellFewest<Plan extends Planned<Fault>, Fault, Judged extends Violating>(
  { doRun, describeFault, words }: Campaign<Plan, Fault, Judged>,
  plan: Plan,
  drawn: readonly Fault[],
  say: (line: string) => void,
): Promise<void> {
  const fewest = await shrink(
    plan.faults,
    async (faults) => (await doRun({ ...plan, faults })).judged.violations.length > 0,
  );
  const indices = fewest.map((fault) => drawn.indexOf(fault)).join(',') || NO_FAULTS;
  const command = `npm run chaos -- ${words}--seed ${plan.seed} --only ${plan.run}`;
  say(`  fewest faults: ${fewest.map(describeFault).join(' ') || 'none'}`);
  say(`  again: ${command} --faults ${indices} --log`);
}
