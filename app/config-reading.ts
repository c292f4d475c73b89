import { z } from 'zod';
import type { Config } from './config.ts';
import { SYSTEM_SCHEMAS } from './mydumper/database-regex.ts';

/** The part of a backup that `restore` loads, and how. */
export type RestoreConfig = {
  /** Patterns with `*` and `?`, of `table` or `database.table`; empty for all. */
  readonly tables: readonly string[];
  /** Database to load into; undefined for its own name. */
  readonly as: string | undefined;
  /** `nothing` is refused before anything starts. */
  readonly what: 'all' | 'schema' | 'data' | 'nothing';
  /** Rows are committed after about this many bytes of their file. */
  readonly transactionBytes: number;
  /** Variables that were set, and that a restore does not use any more. */
  readonly unused: readonly string[];
  readonly overwrite: boolean;
  readonly dryRun: boolean;
  readonly check: boolean;
};

/** Options of the commands that read backups. */
export type ReadingConfig = {
  /** An id or `latest`. */
  readonly backupId: string;
  readonly full: boolean;
  readonly all: boolean;
  readonly json: boolean;
  readonly restore: RestoreConfig;
};

const onOff = z
  .enum(['true', 'false'], { error: 'must be true or false' })
  .default('false')
  .transform((value) => value === 'true');

/** The variables of `restore`, `verify` and `list`. */
export const readingFields = {
  BACKUP_ID: z
    .string()
    .regex(/^(?:latest|\d{8}T\d{6}Z)$/, {
      error: 'must be latest or an id such as 20261122T030000Z',
    })
    .default('latest'),
  RESTORE_TABLES: z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((pattern) => pattern.trim())
        .filter((pattern) => pattern !== ''),
    )
    .default([]),
  RESTORE_AS: z
    .string()
    .regex(/^[^\p{Cc}/\\.`']{1,64}$/u, {
      error: "must be a database name of up to 64 characters without / \\ . ` and '",
    })
    .refine((name) => !SYSTEM_SCHEMAS.some((schema) => schema === name.toLowerCase()), {
      error: 'must not be a system schema',
    })
    .optional(),
  // Galera refuses transactions of 2 GiB by default, group replication those of 143 MiB.
  RESTORE_TRANSACTION_MB: z
    .string()
    .regex(/^(?:[1-9]|[1-9]\d|1[01]\d|12[0-8])$/, {
      error: 'must be a whole number from 1 to 128 (MiB)',
    })
    .default('16')
    .transform(Number),
  RESTORE_SCHEMA_ONLY: onOff,
  RESTORE_DATA_ONLY: onOff,
  RESTORE_OVERWRITE: onOff,
  RESTORE_DRY_RUN: onOff,
  RESTORE_CHECK: onOff,
  VERIFY_FULL: onOff,
  LIST_ALL: onOff,
  JSON_OUTPUT: onOff,
};

type Values = z.infer<z.ZodObject<typeof readingFields>>;

/** Settings of earlier restores. The image sets OUTPUTDIR, so that one says nothing. */
const UNUSED_BY_RESTORE = ['STAGING_LIMIT_MB', 'MYLOADER_BIN'];

/** `given`: the variables that are set. */
export function readingConfig(values: Values, given: ReadonlySet<string>): ReadingConfig {
  return {
    backupId: values.BACKUP_ID,
    full: values.VERIFY_FULL,
    all: values.LIST_ALL,
    json: values.JSON_OUTPUT,
    restore: {
      tables: values.RESTORE_TABLES,
      as: values.RESTORE_AS,
      what: whatOf(values),
      transactionBytes: values.RESTORE_TRANSACTION_MB * 1024 * 1024,
      unused: UNUSED_BY_RESTORE.filter((name) => given.has(name)),
      overwrite: values.RESTORE_OVERWRITE,
      dryRun: values.RESTORE_DRY_RUN,
      check: values.RESTORE_CHECK,
    },
  };
}

/** `nothing` when both flags are set: they exclude each other. */
function whatOf(values: Values): RestoreConfig['what'] {
  if (values.RESTORE_SCHEMA_ONLY && values.RESTORE_DATA_ONLY) return 'nothing';
  if (values.RESTORE_SCHEMA_ONLY) return 'schema';
  return values.RESTORE_DATA_ONLY ? 'data' : 'all';
}

/** Options that contradict each other, one line each. */
export function readingMistakes({ command, sourceGiven, reading, dump }: Config): string[] {
  if (command !== 'restore') return [];
  const mistakes: string[] = [];
  if (!sourceGiven)
    mistakes.push(
      'SOURCE is required by restore: the server the backup is of; HOST is where it is loaded',
    );
  if (reading.restore.as !== undefined && dump.databases.length !== 1)
    mistakes.push(
      'RESTORE_AS needs exactly one database in DATABASES: --databases shop --as shop_copy',
    );
  if (reading.restore.what === 'nothing')
    mistakes.push('RESTORE_SCHEMA_ONLY and RESTORE_DATA_ONLY exclude each other');
  return mistakes;
}
