import type { ServerConfig } from '../config.ts';
import { connectionFlags } from './arguments.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

export type LoadPlan = {
  readonly generation: Generation;
  readonly directory: string;
  readonly optionFile: string;
  readonly threads: number;
  /** Database to load into, instead of the one in the file names. */
  readonly as: string | undefined;
  readonly server: ServerConfig;
  readonly tls: ToolTls;
};

/**
 * 0.10 loads a piece in one transaction, so the limit is above any number of statements in it.
 *
 * 1.x sends a failed statement once more and continues (restore_data_in_gstring_by_statement). It
 * does so even when a deadlock rolled the whole transaction back. Earlier statements of the
 * transaction would be lost.
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
      ? // Without it the loaded rows would not reach the binary log, nor replicas. RDS refuses to
        // turn the binary log off.
        ['--enable-binlog']
      : // Keys are created with the tables, since each run loads only a part of the rows.
        ['--optimize-keys=SKIP']),
  ];
}
