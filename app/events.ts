import { EventEmitter } from 'node:events';

/** One sample of a running backup, taken several times a second. Counters start with the run. */
export type Sample = {
  readonly stagedBytes: number;
  readonly budgetBytes: number;
  readonly peakStagedBytes: number;
  readonly dumpedBytes: number;
  readonly uploadedBytes: number;
  readonly uploadedFiles: number;
  readonly pauses: number;
  readonly pausedSeconds: number;
  readonly uploadRetries: number;
  readonly state: 'starting' | 'running' | 'paused' | 'finishing';
};

export type BackupSummary = {
  readonly backupId: string;
  readonly location: string;
  readonly files: number;
  readonly dumpedBytes: number;
  readonly storedBytes: number;
  readonly seconds: number;
  readonly pauses: number;
  readonly pausedSeconds: number;
  readonly peakStagedBytes: number;
  readonly budgetBytes: number;
  readonly uploadRetries: number;
};

/**
 * Everything that a backup reports. The log, the metrics and the progress display are listeners.
 * Nothing else prints.
 */
export type BackupEvents = {
  /**
   * Preflight passed. `estimatedBytes` is the size of the dump by table statistics, and may be 0.
   */
  started: [
    {
      backupId: string;
      source: string;
      location: string;
      server: string;
      mydumper: string;
      budgetBytes: number;
      estimatedBytes: number;
      lockMode: string;
      consistency: string;
    },
  ];
  /** News for the operator that does not make the backup bad. */
  notice: [{ message: string; detail?: Readonly<Record<string, unknown>> }];
  warning: [{ message: string; detail?: Readonly<Record<string, unknown>> }];
  /** The tables that mydumper reads now, after each change. */
  dumping: [{ tables: readonly string[] }];
  /** A line of mydumper's own log worth keeping. */
  mydumper: [{ level: 'debug' | 'info' | 'warning' | 'error'; message: string }];
  locksReleased: [{ heldSeconds: number }];
  paused: [{ reason: string; stagedBytes: number; budgetBytes: number }];
  resumed: [{ reason: string; stagedBytes: number; budgetBytes: number; pausedSeconds: number }];
  shipped: [{ key: string; dumpedBytes: number; storedBytes: number }];
  retried: [{ operation: string; key: string; reason: string }];
  dumpFinished: [{ seconds: number; leftToShipBytes: number }];
  sample: [Sample];
  succeeded: [BackupSummary];
  /** Sent once, with the first cause. */
  failed: [{ reason: string; exitCode: number; seconds: number }];
};

export type Events = EventEmitter<BackupEvents>;

export function createEvents(): Events {
  return new EventEmitter<BackupEvents>();
}
