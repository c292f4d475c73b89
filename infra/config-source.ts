import { z } from 'zod';
import { isCompleteSecretArn, isSecretArn, looksLikeWholeArn } from './secrets.ts';

const host = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/, {
  error: 'must be a host name or address',
});
const port = z
  .int({ error: 'must be a whole number' })
  .min(1, { error: 'must be 1 or more' })
  .max(65_535, { error: 'must be 65535 or less' });
const secret = z
  .string()
  .refine(
    (value) =>
      isSecretArn(value) ? isCompleteSecretArn(value) : /^[\w/+=.@!-]{1,512}$/.test(value),
    {
      error:
        'must be the name of a secret in Secrets Manager, or its whole ARN with the six ' +
        'characters at its end',
    },
  )
  .refine((value) => isSecretArn(value) || !looksLikeWholeArn(value), {
    error:
      'ends in a hyphen and six characters, which Secrets Manager takes for those it adds ' +
      'itself, and would not find it by name: give its whole ARN',
  });
const kmsKeyArn = z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, {
  error: 'must be the ARN of a KMS key (not of an alias)',
});
const securityGroupId = z.string().regex(/^sg-[0-9a-f]{8,17}$/, {
  error: 'must be a security group id such as sg-0123456789abcdef0',
});
const whole = (least: number, most: number) =>
  z
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least, { error: `must be from ${least} to ${most}` })
    .max(most, { error: `must be from ${least} to ${most}` });

/**
 * Fargate's range:
 * https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html
 */
export const SMALLEST_STORAGE_GIB = 21;
export const LARGEST_STORAGE_GIB = 200;

function isTimeZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const schedule = z.strictObject({
  /** As EventBridge Scheduler takes it: `cron(0 3 * * ? *)`, `rate(12 hours)`. */
  expression: z.string(),
  timeZone: z
    .string()
    .refine(isTimeZone, { error: 'must be a time zone such as Europe/Berlin' })
    .default('UTC'),
  /** The run begins somewhere within this time. */
  flexibleMinutes: whole(0, 1440).default(15),
  /** How long a run may take before it is missed. */
  longestRunHours: whole(1, 120).default(6),
  enabled: z.boolean().default(true),
});

/**
 * The server that a restore loads into instead of the source's own, and the account that writes
 * there.
 */
const restoreTarget = z.strictObject({
  host,
  port: port.default(3306),
  secret,
  secretKmsKeyArn: kmsKeyArn.optional(),
  securityGroupId: securityGroupId.optional(),
});

export const prefix = z.string().regex(/^([A-Za-z0-9!_'().-]+(\/[A-Za-z0-9!_'().-]+)*)?$/, {
  error: 'must be key segments joined by single slashes, without slashes at its ends',
});

export const sourceSchema = z.strictObject({
  /** Part of keys, metrics and resource names. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,39}$/, {
    error: 'must be up to 40 letters, digits and hyphens',
  }),
  /** In place of the stack's. */
  prefix: prefix.optional(),
  host,
  port: port.default(3306),
  /** With the keys `username` and `password`, as RDS creates them. */
  secret,
  secretKmsKeyArn: kmsKeyArn.optional(),
  /** Of the database: a rule is added that lets the tasks in. */
  securityGroupId: securityGroupId.optional(),
  databases: z
    .array(z.string().regex(/^[^,\p{Cc}]{1,64}$/u, { error: 'must be a database name' }))
    .default([]),
  schedule,
  cpu: whole(256, 16_384).default(1024),
  memoryMiB: whole(512, 122_880).default(4096),
  ephemeralStorageGiB: whole(SMALLEST_STORAGE_GIB, LARGEST_STORAGE_GIB).default(
    SMALLEST_STORAGE_GIB,
  ),
  threads: whole(1, 64).default(4),
  chunkFileSizeMiB: whole(1, 4096).default(256),
  compression: z
    .enum(['none', 'gzip', 'zstd'], { error: 'must be none, gzip or zstd' })
    .default('zstd'),
  lockMode: z
    .enum(['auto', 'ftwrl', 'lock-all', 'safe-no-lock', 'none'], {
      error: 'must be auto, ftwrl, lock-all, safe-no-lock or none',
    })
    .default('auto'),
  tls: z
    .strictObject({
      mode: z
        .enum(['disabled', 'preferred', 'required', 'verify-ca', 'verify-full'], {
          error: 'must be disabled, preferred, required, verify-ca or verify-full',
        })
        .default('verify-full'),
      /** A file of your own image; the certificate authorities of RDS unless given. */
      caFile: z
        .string()
        .startsWith('/', { error: 'must be an absolute path in the image' })
        .optional(),
    })
    .prefault({}),
  /** How long things are waited for; the program's defaults unless given. */
  timeouts: z
    .strictObject({
      uploadRetrySeconds: whole(0, 86_400).optional(),
      querySeconds: whole(1, 86_400).optional(),
      stallSeconds: whole(1, 86_400).optional(),
    })
    .default({}),
  mydumperArguments: z.string().default(''),
  /** Tags of the objects in S3. */
  objectTags: z
    .record(
      z.string().regex(/^[\w +=.:/@-]{1,128}$/, { error: 'must be a tag key' }),
      z.string().regex(/^[\w +=.:/@-]{0,256}$/, { error: 'must be a tag value' }),
    )
    .refine((tags) => Object.keys(tags).length <= 10, { error: 'must be 10 tags or fewer' })
    .default({}),
  storageClass: z
    .enum(['STANDARD', 'STANDARD_IA', 'ONEZONE_IA', 'INTELLIGENT_TIERING', 'GLACIER_IR'], {
      error: 'must be a storage class that can be read at once',
    })
    .optional(),
  retentionDays: whole(1, 36_500).optional(),
  restore: restoreTarget.optional(),
});
export type SourceSettings = Readonly<z.infer<typeof sourceSchema>> & { readonly prefix: string };
