import { EXIT } from '../app/contract.ts';
import type { Moment } from './plan.ts';

/** An ending that a fault accounts for: the code, and a reason that names the cause. */
export type Explanation = { readonly code: number; readonly reason: RegExp };

export type Kind = {
  readonly where: 'S3' | 'MariaDB' | 'mydumper' | 'program' | 'disk' | 'CloudWatch';
  readonly what: string;
  /** How often it is drawn, compared with the others. */
  readonly weight: number;
  readonly moments: readonly Moment[];
  /** Nothing but a backup is right when no other fault has struck. */
  readonly riddenOut: boolean;
  readonly explains: readonly Explanation[];
  /** Requests are sent again for nothing: retries are kept short, so that the run is over soon. */
  readonly lasting?: true;
};

export const ANY: readonly Moment[] = ['spawn', 'started', 'dumpFinished', 'manifest'];
export const RUNNING: readonly Moment[] = ['started', 'dumpFinished', 'manifest'];
export const DUMPING: readonly Moment[] = ['started'];

export const upload = (reason: RegExp): readonly Explanation[] => [
  { code: EXIT.uploadFailed, reason },
  { code: EXIT.preflightRefused, reason },
];
export const dump = (reason: RegExp): Explanation => ({ code: EXIT.dumpFailed, reason });
