import type { Config } from '../config.ts';
import { Failure } from '../errors.ts';
import { type BudgetPlan, planBudget, smallestWorkingBudgetMiB } from '../governor/feasibility.ts';
import type { MydumperVersion } from '../mydumper/version.ts';
import { claimStaging, freeBytes, type Staging } from '../staging/directory.ts';
import { canPunchHoles } from '../staging/punch-hole.ts';

const MIB = 1024 * 1024;
/** The metadata of a file system may take this much of one that is as large as the budget. */
const FREE_SPACE_TOLERANCE_BYTES = 512 * 1024;

/** A claimed staging directory, and the sizes that fit its budget. */
type Prepared = {
  readonly staging: Staging;
  readonly punching: boolean;
  readonly plan: BudgetPlan;
};

/**
 * Takes the staging directory, after all other checks have passed.
 * @throws Failure `preflight` or `configuration`.
 */
export function prepareStaging(config: Config, mydumper: MydumperVersion): Prepared {
  const { directory, budgetBytes } = config.staging;
  const staging = claimStaging(directory);
  try {
    const free = freeBytes(directory);
    if (free + FREE_SPACE_TOLERANCE_BYTES < budgetBytes) {
      throw new Failure(
        'preflight',
        `STAGING_LIMIT_MB: the budget is ${inMiB(budgetBytes)} MiB, ` +
          `but only ${inMiB(free)} MiB are free in OUTPUTDIR="${directory}"`,
      );
    }
    const punching = canPunchHoles(directory);
    return { staging, punching, plan: planWithin(config, mydumper, punching) };
  } catch (error) {
    staging.clear();
    throw error;
  }
}

/**
 * Plans the sizes of chunks, statements and parts within the budget.
 * @throws Failure `configuration` when no sizes fit.
 */
export function planWithin(
  config: Config,
  { generation }: MydumperVersion,
  punching: boolean,
): BudgetPlan {
  const { dump, staging, store, compression } = config;
  const wanted = { threads: dump.threads, chunkMiB: dump.chunkMiB, partBytes: store.partBytes };
  const circumstances = { budgetBytes: staging.budgetBytes, generation, compression, punching };
  const plan = planBudget(wanted, circumstances);
  if (plan !== undefined) return plan;
  throw new Failure(
    'configuration',
    `STAGING_LIMIT_MB=${inMiB(staging.budgetBytes)}: too small regardless of the other sizes; ` +
      `at least ${smallestWorkingBudgetMiB(wanted, circumstances)} would work`,
  );
}

function inMiB(bytes: number): number {
  return Math.floor(bytes / MIB);
}
