import type { Campaign } from '../campaign.ts';
import { drawRestorePlan } from './draw.ts';
import { judgeRestore } from './judge.ts';
import { openRestoreLab } from './lab.ts';
import type { RestoreFault, RestorePlan } from './plan.ts';
import {
  describeAllRestores,
  describeRestoreFault,
  describeRestoreRun,
  type JudgedRestore,
} from './report.ts';
import { runRestorePlan } from './run.ts';

/** Restores with faults. */
export async function openRestoreCampaign(): Promise<
  Campaign<RestorePlan, RestoreFault, JudgedRestore>
> {
  const lab = await openRestoreLab();
  return {
    words: '--restore ',
    draw: drawRestorePlan,
    doRun: async (plan) => {
      const startedAt = performance.now();
      const { seen, log } = await runRestorePlan(lab, plan);
      const totalSeconds = (performance.now() - startedAt) / 1000;
      return { judged: { seen, violations: judgeRestore(seen), totalSeconds }, log };
    },
    describeFault: describeRestoreFault,
    describeRun: describeRestoreRun,
    describeAll: describeAllRestores,
    stop: lab.stop,
  };
}
