import { EventEmitter } from 'node:events';

type Detail = { readonly detail?: Readonly<Record<string, unknown>> };

/**
 * One sample of a running restore or verification. Bytes are those of the uncompressed dump, unless
 * the command says otherwise.
 */
export type WorkSample = {
  /** The current step, for people. */
  readonly stage: string;
  readonly doneBytes: number;
  readonly totalBytes: number;
};

/** Everything that restore and verify report. The log and the progress display are listeners. */
export type WorkEvents = {
  started: [{ message: string } & Detail];
  notice: [{ message: string } & Detail];
  warning: [{ message: string } & Detail];
  retried: [{ operation: string; key: string; reason: string }];
  sample: [WorkSample];
  /** A fault of the backup or of the loaded data, once for each. */
  fault: [{ key: string; reason: string }];
  /** `lines` are for people, `detail` for the log. */
  succeeded: [{ lines: readonly string[] } & Detail];
  failed: [{ lines: readonly string[]; exitCode: number; seconds: number }];
};

export type Work = EventEmitter<WorkEvents>;

export function createWork(): Work {
  return new EventEmitter<WorkEvents>();
}
