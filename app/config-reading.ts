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

export function readingConfig(values: Values): ReadingConfig {
  return {
    backupId: values.BACKUP_ID,
    full: values.VERIFY_FULL,
    all: values.LIST_ALL,
    json: values.JSON_OUTPUT,
    restore: {
      tables: values.RESTORE_TABLES,
      as: values.RESTORE_AS,
      what: whatOf(values),
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
