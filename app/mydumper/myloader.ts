import type { ServerConfig } from '../config.ts';
import { connectionFlags } from './arguments.ts';
import type { Generation } from './version.ts';

export type LoadPlan = {
  readonly generation: Generation;
  readonly directory: string;
  readonly optionFile: string;
  readonly threads: number;
  /** Database to load into instead of the one that file names tell. */
  readonly as: string | undefined;
  readonly server: ServerConfig;
};

/** As many statements as a piece can have: it is loaded in one transaction. */
const STATEMENTS_PER_TRANSACTION = 1_000_000_000;

/** myloader's argv (without argv[0]). It holds no secret. */
export function myloaderArguments(plan: LoadPlan): string[] {
  return [
    `--defaults-file=${plan.optionFile}`,
    `--directory=${plan.directory}`,
    `--threads=${plan.threads}`,
    `--queries-per-transaction=${STATEMENTS_PER_TRANSACTION}`,
    '--verbose=3',
    ...(plan.as === undefined ? [] : [`--database=${plan.as}`]),
    ...connectionFlags(plan.server, plan.generation),
    ...(plan.generation === 'classic'
      ? // Without it nothing of what is loaded would reach replicas, nor the binary log; and RDS refuses to switch that off.
        ['--enable-binlog']
      : // Keys are made with the tables, since each run sees but a part of the rows.
        ['--optimize-keys=SKIP']),
  ];
}
