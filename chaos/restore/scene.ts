import type { ManifestFile } from '../../app/manifest/schema.ts';
import type { MariaDb } from '../../test/support/mariadb/harness.ts';
import type { RunningProgram } from '../../test/support/program.ts';
import type { S3Server } from '../../test/support/s3/server.ts';
import type { PreparedBackup } from './backups.ts';
import type { RestoreFault, RestorePlan } from './plan.ts';

export const BUCKET = 'backups';
/** A database of the faults themselves in the target server. */
export const LAB_DATABASE = 'chaos_lab';
/** The program's user in the target server. Connections of the faults are root's. */
export const RESTORER = 'restorer';

/** An object that was altered, or answered wrongly, from some moment on. */
export type WrongObject = {
  readonly file: ManifestFile;
  /** In milliseconds since the epoch. */
  readonly since: number;
  /** Its content is wrong; otherwise it is missing. */
  readonly altered: boolean;
};

/** An attempt in progress, as far as faults have to do with it. */
export type RestoreScene = {
  readonly plan: RestorePlan;
  readonly program: RunningProgram;
  readonly s3: S3Server;
  readonly db: MariaDb;
  readonly backup: PreparedBackup;
  readonly bandwidth: number;
  readonly wrong: WrongObject[];
  /** How many requests the server had seen before. */
  readonly firstRequest: number;
  /** Undone, or waited for, when the attempt is over. */
  readonly onEnd: (undo: () => unknown) => void;
  readonly isOver: () => boolean;
  /** Aborted when the attempt is over. */
  readonly over: AbortSignal;
};

/** Makes a fault happen. @returns whether it met anything, which may be known only later. */
export type RestoreStrike = (
  fault: RestoreFault,
  scene: RestoreScene,
) => Promise<boolean | (() => boolean)>;
