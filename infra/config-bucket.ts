import { z } from 'zod';
import type { SourceSettings } from './config-source.ts';

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/, {
  error: 'must be a bucket name of 3 to 63 lower-case letters, digits and hyphens',
});
const kmsKeyArn = z.string().regex(/^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/[\w-]+$/, {
  error: 'must be the ARN of a KMS key (not of an alias)',
});
const days = z
  .int({ error: 'must be a whole number of days' })
  .min(1, { error: 'must be 1 day or more' })
  .max(36_500, { error: 'must be 36,500 days or fewer' });

/**
 * Storage classes a lifecycle rule may move to.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html
 */
const STORAGE_CLASSES = [
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER_IR',
  'GLACIER',
  'DEEP_ARCHIVE',
] as const;
/** S3 refuses to move objects to the infrequent access classes sooner. Same source. */
const LEAST_DAYS_TO_INFREQUENT_ACCESS = 30;

const created = z.strictObject({
  kind: z.literal('new'),
  /** Chosen by CloudFormation unless given. */
  name: bucketName.optional(),
  /** `s3`: SSE-S3. `kms`: SSE-KMS with `kmsKeyArn`, or with a key of its own. */
  encryption: z.enum(['s3', 'kms'], { error: 'must be s3 or kms' }).default('s3'),
  kmsKeyArn: kmsKeyArn.optional(),
  /** Backups expire after this; a source may say otherwise. */
  retentionDays: days.default(35),
  /** What an overwrite hid or expiry deleted is kept for this long. */
  noncurrentDays: days.default(14),
  transitions: z
    .array(
      z.strictObject({
        afterDays: days,
        storageClass: z.enum(STORAGE_CLASSES, {
          error: `must be one of ${STORAGE_CLASSES.join(', ')}`,
        }),
      }),
    )
    .default([]),
  /** WORM: in mode `compliance` not even the account's root user shortens or lifts it. */
  objectLock: z
    .strictObject({
      mode: z.enum(['governance', 'compliance'], { error: 'must be governance or compliance' }),
      days,
    })
    .optional(),
  /** Server access logs go there; the bucket must be there and let S3's logging service write. */
  accessLogs: z.strictObject({ bucket: bucketName, prefix: z.string().default('') }).optional(),
});
const existing = z.strictObject({
  kind: z.literal('existing'),
  name: bucketName,
  /** Of the bucket's default encryption, if that is SSE-KMS. */
  kmsKeyArn: kmsKeyArn.optional(),
});

export const bucketSchema = z.discriminatedUnion('kind', [created, existing], {
  error: 'must have kind "new" or "existing"',
});
export type BucketSettings = Readonly<z.infer<typeof bucketSchema>>;
export type NewBucketSettings = Extract<BucketSettings, { kind: 'new' }>;

/** Mistakes in what belongs together. */
export function mistakesInBucket(
  bucket: BucketSettings,
  sources: readonly SourceSettings[],
): string[] {
  if (bucket.kind === 'existing') {
    return sources.flatMap(({ retentionDays }, index) =>
      retentionDays === undefined
        ? []
        : [
            `sources[${index}].retentionDays: needs a bucket of kind "new"; the lifecycle ` +
              'rules of an existing one are yours',
          ],
    );
  }
  const mistakes: string[] = [];
  if (bucket.kmsKeyArn !== undefined && bucket.encryption !== 'kms')
    mistakes.push('bucket.kmsKeyArn: needs encryption "kms"');
  const retentions: [string, number][] = [['bucket', bucket.retentionDays]];
  for (const [index, { retentionDays }] of sources.entries())
    if (retentionDays !== undefined) retentions.push([`sources[${index}]`, retentionDays]);
  for (const [place, retention] of retentions) {
    if (bucket.objectLock !== undefined && bucket.objectLock.days > retention) {
      mistakes.push(
        `${place}.retentionDays: ${retention} days are fewer than the ` +
          `${bucket.objectLock.days} of objectLock; backups would expire before they may be ` +
          'deleted',
      );
    }
    for (const { afterDays, storageClass } of bucket.transitions) {
      if (afterDays >= retention)
        mistakes.push(
          `${place}.retentionDays: backups expire after ${retention} days and would never ` +
            `move to ${storageClass} after ${afterDays}`,
        );
    }
  }
  for (const [index, { afterDays, storageClass }] of bucket.transitions.entries()) {
    if (storageClass.endsWith('_IA') && afterDays < LEAST_DAYS_TO_INFREQUENT_ACCESS) {
      mistakes.push(
        `bucket.transitions[${index}].afterDays: S3 moves objects to ${storageClass} after ` +
          `${LEAST_DAYS_TO_INFREQUENT_ACCESS} days or more`,
      );
    }
  }
  return mistakes;
}
