import type { CloudWatch } from '../test/support/cloudwatch.ts';
import type { MariaDb } from '../test/support/mariadb/harness.ts';
import type { RunningProgram } from '../test/support/program.ts';
import type { S3Server } from '../test/support/s3/server.ts';
import type { FaultPlan, Plan } from './plan.ts';

export const BUCKET = 'backups';
export const SOURCE = 'chaos';
/** Put into staging by `disk-foreign-file`. */
export const FOREIGN_FILE = 'precious.txt';

/** A run in progress, as far as faults have to do with it. */
export type Scene = {
  readonly plan: Plan;
  readonly program: RunningProgram;
  readonly s3: S3Server;
  readonly cloudwatch: CloudWatch;
  readonly db: MariaDb;
  readonly staging: string;
  /** The directory that holds staging; a file system of its own where the plan says so. */
  readonly disk: string;
  /** Connections of the faults themselves, which are not to be killed by others. */
  readonly ownConnections: Set<number>;
  /** Undone, or waited for, when the run is over. */
  readonly onEnd: (undo: () => unknown) => void;
  readonly isOver: () => boolean;
  /** Aborted when the run is over. */
  readonly over: AbortSignal;
};

/** Makes a fault happen. @returns whether it met anything, which may be known only later. */
export type Strike = (fault: FaultPlan, scene: Scene) => Promise<boolean | (() => boolean)>;
