import type { Compression } from '../app/config.ts';
import type { FaultKind } from './kinds.ts';

/**
 * The event that starts a fault's delay: the start of the process, or an event or request of the
 * program.
 */
export type Moment = 'spawn' | 'started' | 'dumpFinished' | 'manifest';

export type FaultPlan = {
  readonly kind: FaultKind;
  readonly moment: Moment;
  readonly delayMilliseconds: number;
  /** How long it lasts, for those that end. */
  readonly milliseconds: number;
  /** How many requests it strikes, for those that are counted. */
  readonly times: number;
  /** Chooses among what it may strike: a connection, a file, a place in a body. */
  readonly pick: number;
};

export type TablePlan = {
  readonly database: string;
  readonly name: string;
  readonly rows: number;
  readonly rowBytes: number;
  readonly engine: 'InnoDB' | 'MyISAM';
};

/**
 * One run: the databases, the settings and the faults. Plain data; the same seed and number give
 * the same.
 */
export type Plan = {
  readonly seed: number;
  readonly run: number;
  readonly tables: readonly TablePlan[];
  /** A view, a trigger, a procedure and an event beside the tables. */
  readonly objects: boolean;
  readonly budgetMiB: number;
  readonly chunkMiB: number;
  readonly partMiB: number;
  readonly threads: number;
  readonly uploadConcurrency: number;
  readonly compression: Compression;
  readonly retrySeconds: number;
  readonly bandwidthBytesPerSecond: number;
  /** Staging is a file system of its own, this much larger than the budget. */
  readonly smallDiskMiB: number | undefined;
  readonly faults: readonly FaultPlan[];
};

/** The table that faults drop or alter. */
export const VICTIM = { database: 'shop', name: 'victim' } as const;

/** What mydumper writes for all rows, roughly. */
export function dumpedBytesOf(plan: Pick<Plan, 'tables'>): number {
  return plan.tables.reduce((sum, table) => sum + table.rows * table.rowBytes, 0);
}
