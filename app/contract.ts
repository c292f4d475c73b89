/**
 * The names that scripts, dashboards and the CDK stack depend on: commands, exit codes, metrics,
 * objects. The environment variables are in `variables.ts`.
 */

export const COMMANDS = ['backup', 'restore', 'verify', 'list'] as const;
export type Command = (typeof COMMANDS)[number];

/** The meaning of each exit code. `--help` and the docs list the same texts. */
export const EXIT = {
  done: 0,
  badConfiguration: 2,
  preflightRefused: 3,
  dumpFailed: 4,
  uploadFailed: 5,
  stagingBudget: 6,
  verificationFault: 7,
  restoreFailed: 8,
  interruptedBySigint: 130,
  interruptedBySigterm: 143,
} as const;

export const EXIT_MEANINGS: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.done, 'done'],
  [EXIT.badConfiguration, 'bad configuration'],
  [
    EXIT.preflightRefused,
    'preflight refused (bucket, database, privileges, tools, another run active)',
  ],
  [EXIT.dumpFailed, 'dump failed'],
  [EXIT.uploadFailed, 'upload failed'],
  [EXIT.stagingBudget, 'staging could not be kept within its budget'],
  [EXIT.verificationFault, 'verification found a fault'],
  [EXIT.restoreFailed, 'restore failed'],
  [EXIT.interruptedBySigint, 'interrupted by SIGINT'],
  [EXIT.interruptedBySigterm, 'interrupted by SIGTERM'],
];

/**
 * Work that grows with the size of the data may take this many times as long as
 * QUERY_TIMEOUT_SECONDS or STALL_TIMEOUT_SECONDS.
 */
export const LONG_FACTOR = 24;

export const METRIC_DIMENSION = 'Source';

/** CloudWatch metric names with the unit each is sent in. */
export const METRICS = {
  BytesStaged: 'Bytes',
  StagingUtilization: 'Percent',
  BytesDumped: 'Bytes',
  BytesUploaded: 'Bytes',
  FilesUploaded: 'Count',
  Pauses: 'Count',
  PausedSeconds: 'Seconds',
  UploadRetries: 'Count',
  BackupDurationSeconds: 'Seconds',
  BackupBytes: 'Bytes',
  BackupSucceeded: 'Count',
  BackupFailed: 'Count',
} as const;

export type MetricName = keyof typeof METRICS;

export const MANIFEST_NAME = 'manifest.json';
/** The claim beside the manifest. It reserves the folder for one run. */
export const CLAIM_NAME = 'claim.json';

/**
 * Database on the target server that records the progress of restores, until the last one is
 * complete.
 */
export const RESTORE_STATE_DATABASE = 'mydumper_fargate_restore';
