import { accessSync, constants, statSync } from 'node:fs';
import { z } from 'zod';
import { readingFields } from './config-reading.ts';
import { readExtraArguments, splitShellWords } from './mydumper/extra-arguments.ts';
import type { VariableName } from './variables.ts';

const whole = (minimum: number, maximum: number, unit = '') =>
  z
    .string()
    .regex(/^\d{1,15}$/, { error: `must be a whole number from ${minimum} to ${maximum}${unit}` })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, {
      error: `must be a whole number from ${minimum} to ${maximum}${unit}`,
    });

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

// Key rules (1,024 bytes in all):
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
const KEY_SAFE = /^[A-Za-z0-9!_'()*.-]+$/;
const isKeySegment = (segment: string) =>
  KEY_SAFE.test(segment) && segment !== '.' && segment !== '..' && segment.length <= 200;

const keyPrefix = z
  .string()
  .transform(withoutOuterSlashes)
  .refine((value) => value === '' || value.split('/').every(isKeySegment), {
    error: "must be key segments of letters, digits and ! _ ' ( ) * . - joined by single slashes",
  });

function withoutOuterSlashes(value: string): string {
  let start = 0;
  let end = value.length;
  while (value[start] === '/') start += 1;
  while (end > start && value[end - 1] === '/') end -= 1;
  return value.slice(start, end);
}

const readableFile = z.string().superRefine((path, context) => {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file');
    accessSync(path, constants.R_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.addIssue({ code: 'custom', message: `must be a readable PEM file (${reason})` });
  }
});

const mydumperArguments = z.string().transform((value, context) => {
  const words = splitShellWords(value);
  if (words === undefined) {
    context.addIssue({ code: 'custom', message: 'has a quote that is not closed' });
    return z.NEVER;
  }
  const read = readExtraArguments(words);
  for (const message of read.mistakes) context.addIssue({ code: 'custom', message });
  return read.words;
});

/** The allowed values of each variable, and its default. */
export const variablesSchema = z.object({
  BUCKET: z
    .string({ error: 'is required: the name of the S3 bucket' })
    .regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|arn:[\w:/.-]+)$/, {
      error:
        'must be a bucket name (3 to 63 lower-case letters, digits, dots, hyphens) ' +
        'or an access point ARN',
    }),
  REGION: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, { error: 'must be an AWS region such as eu-central-1' })
    .optional(),
  PREFIX: keyPrefix.default(''),
  SOURCE: z
    .string()
    .refine(isKeySegment, {
      error: "must be up to 200 letters, digits and ! _ ' ( ) * . - (it becomes a key segment)",
    })
    .optional(),
  HOST: z
    .string()
    .regex(/^[^\s\p{Cc}]{1,255}$/u, { error: 'must be a host name or address' })
    .default('localhost'),
  PORT: whole(1, 65_535).default(3306),
  SOCKET: z
    .string()
    .refine((path) => !/\p{Cc}/u.test(path) && path.length <= 107, {
      error: 'must be a unix socket path of up to 107 bytes',
    })
    .optional(),
  USERNAME: z
    .string()
    .regex(/^[^\p{Cc}]{1,128}$/u, { error: 'must be a user name without control characters' })
    .default('root'),
  PASSWORD: z
    .string()
    .refine((value) => !/[\0\n\r]/.test(value), { error: 'must not hold line ends or NUL' })
    .default(''),
  OUTPUTDIR: z
    .string()
    .refine((path) => !path.includes('\0'), { error: 'must be a directory path' })
    .default('output'),
  // S3 takes 10,000 parts of 5 MiB or more for an object.
  CHUNK_FILE_SIZE_MB: whole(1, 40_000, ' (MiB)').default(1),
  MAX_FILE_COUNT: whole(1, 1_000_000).default(10),
  STAGING_LIMIT_MB: whole(1, 16_777_216, ' (MiB)').optional(),
  THREADS: whole(1, 256).default(4),
  DATABASES: z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    )
    .refine((names) => names.every((name) => name.length <= 64 && !/[\p{Cc}]/u.test(name)), {
      error: 'must be a comma-separated list of database names of up to 64 characters',
    })
    .default([]),
  MYDUMPER_ARGS: mydumperArguments.default([]),
  COMPRESS: oneOf(['none', 'gzip', 'zstd']).default('zstd'),
  LOCK_MODE: oneOf(['auto', 'ftwrl', 'lock-all', 'safe-no-lock', 'none']).default('auto'),
  TLS_MODE: oneOf(['disabled', 'preferred', 'required', 'verify-ca', 'verify-full']).optional(),
  TLS_CA: readableFile.optional(),
  UPLOAD_CONCURRENCY: whole(1, 64).default(4),
  // S3 takes parts of 5 MiB to 5 GiB:
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
  PART_SIZE_MB: whole(5, 5120, ' (MiB)').default(8),
  UPLOAD_RETRY_SECONDS: whole(0, 86_400, ' (seconds)').default(300),
  QUERY_TIMEOUT_SECONDS: whole(1, 86_400, ' (seconds)').default(900),
  STALL_TIMEOUT_SECONDS: whole(1, 86_400, ' (seconds)').default(600),
  STORAGE_CLASS: z
    .string()
    .regex(/^[A-Z_]{2,40}$/, { error: 'must be an S3 storage class such as STANDARD_IA' })
    .optional(),
  KMS_KEY_ID: z
    .string()
    .regex(/^[\w:/.-]{1,2048}$/, { error: 'must be a KMS key id, alias or ARN' })
    .optional(),
  // At most 10 tags: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
  OBJECT_TAGS: z
    .string()
    .refine(
      (value) =>
        value.split('&').length <= 10 &&
        value.split('&').every((tag) => /^[^=&]+=[^=&]*$/.test(tag)),
      {
        error: 'must be up to 10 URL-encoded tags, key=value&key=value',
      },
    )
    .optional(),
  S3_FORCE_PATH_STYLE: oneOf(['true', 'false']).default('false'),
  METRICS_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z0-9.\-_/#:]{0,255}$/, {
      error: 'must be up to 255 letters, digits and . - _ / # :',
    })
    .default('MydumperFargate'),
  METRICS_INTERVAL_SECONDS: whole(1, 3600, ' (seconds)').default(60),
  MYDUMPER_BIN: z.string().default('mydumper'),
  MYLOADER_BIN: z.string().optional(),
  LOG_LEVEL: oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR', 'SILENT']).default('INFO'),
  ...readingFields,
} satisfies Record<VariableName, z.ZodType>);
