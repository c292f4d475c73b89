import type { ServerConfig } from '../config.ts';
import { connectionFlags } from './arguments.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

export type LoadPlan = {
  readonly generation: Generation;
  readonly directory: string;
  readonly optionFile: string;
  readonly threads: number;
  /** Database to load into instead of the one that file names tell. */
  readonly as: string | undefined;
  readonly server: ServerConfig;
  readonly tls: ToolTls;
};

/**
 * 0.10: as many as a piece can have, which is loaded in one transaction. 1.x sends a statement that
 * failed once more and goes on, also when a deadlock took the whole transaction back
 * (restore_data_in_gstring_by_statement): what came before it would be lost.
 */
const STATEMENTS_PER_TRANSACTION: Readonly<Record<Generation, number>> = {
  classic: 1_000_000_000,
  modern: 1,
};

/** myloader's argv (without argv[0]). It holds no secret. */
export function myloaderArguments(plan: LoadPlan): string[] {
  return [
    `--defaults-file=${plan.optionFile}`,
    `--directory=${plan.directory}`,
    `--threads=${plan.threads}`,
    `--queries-per-transaction=${STATEMENTS_PER_TRANSACTION[plan.generation]}`,
    '--verbose=3',
    ...(plan.as === undefined ? [] : [`--database=${plan.as}`]),
    ...connectionFlags(plan.server, plan.generation, plan.tls),
    ...(plan.generation === 'classic'
      ? // Without it nothing of what is loaded would reach replicas, nor the binary log; and RDS refuses to switch that off.
        ['--enable-binlog']
      : // Keys are made with the tables, since each run sees but a part of the rows.
        ['--optimize-keys=SKIP']),
  ];
}
