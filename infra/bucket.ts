import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  type LifecycleRule,
  ObjectLockRetention,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { BucketSettings, NewBucketSettings } from './config-bucket.ts';
import type { SourceSettings } from './config-source.ts';
import { acknowledge } from './nag.ts';
import { folderOf } from './names.ts';

/**
 * Parts of unfinished uploads cost like objects and show nowhere. No run takes longer than this.
 */
const ABORT_UPLOADS_DAYS = 7;

export type BackupBucketProps = {
  readonly settings: BucketSettings;
  readonly sources: readonly SourceSettings[];
};

/** The bucket that backups go to. It and its key outlive the stack. */
export class BackupBucket extends Construct {
  readonly bucket: IBucket;
  /** Of SSE-KMS; undefined with SSE-S3. */
  readonly key: IKey | undefined;

  constructor(scope: Construct, id: string, { settings, sources }: BackupBucketProps) {
    super(scope, id);
    const given = settings.kmsKeyArn;
    if (settings.kind === 'existing') {
      this.key = given === undefined ? undefined : Key.fromKeyArn(this, 'Key', given);
      this.bucket = Bucket.fromBucketName(this, 'Bucket', settings.name);
      return;
    }
    this.key = this.keyOf(settings);
    const logs = settings.accessLogs;
    const bucket = new Bucket(this, 'Bucket', {
      ...(settings.name !== undefined && { bucketName: settings.name }),
      ...(this.key === undefined
        ? { encryption: BucketEncryption.S3_MANAGED }
        : { encryption: BucketEncryption.KMS, encryptionKey: this.key, bucketKeyEnabled: true }),
      versioned: true,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      removalPolicy: RemovalPolicy.RETAIN,
      lifecycleRules: lifecycleRules(settings, sources),
      ...(settings.objectLock !== undefined && {
        objectLockEnabled: true,
        objectLockDefaultRetention: retentionOf(settings.objectLock),
      }),
      ...(logs !== undefined && {
        serverAccessLogsBucket: Bucket.fromBucketName(this, 'AccessLogs', logs.bucket),
        serverAccessLogsPrefix: logs.prefix,
      }),
    });
    if (logs === undefined) {
      acknowledge(
        bucket,
        'AwsSolutions-S1',
        "Access logs need a second bucket, which is the account's own: bucket.accessLogs in " +
          'cdk.json names it. The tasks can only add here, and reads need a role of their own.',
      );
    }
    // The library's own types do not agree under exactOptionalPropertyTypes.
    this.bucket = bucket as IBucket;
  }

  private keyOf(settings: NewBucketSettings): IKey | undefined {
    if (settings.encryption === 's3') return undefined;
    if (settings.kmsKeyArn !== undefined) return Key.fromKeyArn(this, 'Key', settings.kmsKeyArn);
    return new Key(this, 'Key', {
      description: 'Database backups',
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }
}

function retentionOf({
  mode,
  days,
}: NonNullable<NewBucketSettings['objectLock']>): ObjectLockRetention {
  const duration = Duration.days(days);
  return mode === 'compliance'
    ? ObjectLockRetention.compliance(duration)
    : ObjectLockRetention.governance(duration);
}

/**
 * One rule for each source, since each has its own retention, and one rule for all of them. A
 * source's rule also expires what failed runs leave in its folder, such as `claim.json`.
 */
function lifecycleRules(
  settings: NewBucketSettings,
  sources: readonly SourceSettings[],
): LifecycleRule[] {
  return [
    {
      id: 'leftovers',
      abortIncompleteMultipartUploadAfter: Duration.days(ABORT_UPLOADS_DAYS),
      noncurrentVersionExpiration: Duration.days(settings.noncurrentDays),
      expiredObjectDeleteMarker: true,
    },
    ...sources.map((source) => ({
      id: `expire-${source.name}`,
      prefix: folderOf(source),
      expiration: Duration.days(source.retentionDays ?? settings.retentionDays),
      ...(settings.transitions.length > 0 && {
        transitions: settings.transitions.map(({ afterDays, storageClass }) => ({
          transitionAfter: Duration.days(afterDays),
          storageClass: new StorageClass(storageClass),
        })),
      }),
    })),
  ];
}
