import type { Campaign } from './campaign.ts';
import { drawPlan } from './draw.ts';
import { judge } from './judge.ts';
import { openLab } from './lab.ts';
import type { FaultPlan, Plan } from './plan.ts';
import { describeAll, describeFault, describeRun, type Judged } from './report.ts';
import { runPlan } from './run.ts';

/** Backups with faults. */
export async function openBackupCampaign(): Promise<Campaign<Plan, FaultPlan, Judged>> {
  const lab = await openLab();
  return {
    words: '',
    draw: drawPlan,
    doRun: async (plan) => {
      const startedAt = performance.now();
      const { seen, log } = await runPlan(lab, plan);
      const totalSeconds = (performance.now() - startedAt) / 1000;
      return { judged: { seen, violations: judge(seen), totalSeconds }, log };
    },
    describeFault,
    describeRun,
    describeAll,
    stop: lab.stop,
  };
}
