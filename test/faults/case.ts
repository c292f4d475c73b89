import type { RunningProgram } from '../support/program.ts';
import type { Setting } from './setting.ts';

/** Where a fault is caused, in the order of the page. */
export const GROUPS = {
  s3: 'S3',
  database: 'The database server',
  mydumper: 'mydumper',
  process: 'This program',
  disk: 'The staging disk',
  cloudwatch: 'CloudWatch',
} as const;
export type Group = keyof typeof GROUPS;

/**
 * One row of the table of faults. The judge (judge.ts) holds every run to the same rules. Either
 * the backup holds every row. Or the run ends with a documented exit code and a reason that names
 * the cause, and leaves and touches nothing.
 */
export type FaultCase = {
  readonly id: string;
  /** What goes wrong; goes into the page. */
  readonly fault: string;
  /** What is required then; goes into the page. */
  readonly outcome: string;
  /** Exit codes that may come of it; 0 is a good backup. */
  readonly exits: readonly [number, ...number[]];
  /** Matches the reason that a failed run gives. */
  readonly reason?: RegExp;
  /** Takes more than a few seconds, or differs little from a quick one: run by `npm run soak`. */
  readonly soak?: true;
  /** The run must have ended by then; 60 unless given. */
  readonly longestSeconds?: number;
  /** Files that S3 has not acknowledged stay in staging, for the next run to clear. */
  readonly keepsFiles?: true;
  /**
   * S3 may have written the manifest without a confirmation. If the manifest is there, the backup
   * is whole.
   */
  readonly manifestMayExist?: true;
  /** Foreign files, which stay in staging. */
  readonly leaves?: readonly string[];
  /** The program has no time to report its reason or to clear staging. */
  readonly abrupt?: true;
  /** Metrics cannot arrive, or are not meant to. */
  readonly withoutMetrics?: true;
  /** The database to back up in place of the file's own; made by `prepare`. */
  readonly database?: string;
  readonly prepare?: (setting: Setting) => Promise<unknown>;
  /** Causes the fault. @returns the run that is judged. */
  readonly run: (setting: Setting) => Promise<RunningProgram>;
  /** What else is required of this one. Throws when it is not so. */
  readonly check?: (setting: Setting, log: readonly Record<string, unknown>[]) => Promise<void>;
  readonly cleanup?: (setting: Setting) => Promise<unknown>;
};

export const ALWAYS = Number.POSITIVE_INFINITY;
