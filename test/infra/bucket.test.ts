import { expect, test } from 'vitest';
import { all, EXISTING, FULL, only, SMALL, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const existing = synthesise(EXISTING);

test('the bucket is closed, encrypted, versioned, and stays when the stack goes', () => {
  const bucket = Object.values(small.json.Resources).find(({ Type }) => Type === 'AWS::S3::Bucket');
  expect(bucket).toMatchObject({ DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
  expect(bucket?.Properties).toMatchObject({
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
      ],
    },
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    },
    OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    VersioningConfiguration: { Status: 'Enabled' },
  });
  expect(bucket?.Properties).not.toHaveProperty('ObjectLockEnabled');
});

test('it takes nothing but TLS', () => {
  const { PolicyDocument } = only(small, 'AWS::S3::BucketPolicy') as {
    PolicyDocument: {
      Statement: { Effect: string; Action: string; Principal: unknown; Condition: unknown }[];
    };
  };
  expect(PolicyDocument.Statement).toContainEqual(
    expect.objectContaining({
      Effect: 'Deny',
      Action: 's3:*',
      Principal: { AWS: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
    }),
  );
  expect(PolicyDocument.Statement.every(({ Effect }) => Effect === 'Deny')).toBe(true);
});

test('old backups expire by the retention of their source, leftovers of uploads too', () => {
  const { LifecycleConfiguration } = only(full, 'AWS::S3::Bucket') as {
    LifecycleConfiguration: { Rules: object[] };
  };
  const moves = [{ StorageClass: 'STANDARD_IA', TransitionInDays: 30 }];
  expect(LifecycleConfiguration.Rules).toEqual([
    {
      Id: 'leftovers',
      Status: 'Enabled',
      AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
      ExpiredObjectDeleteMarker: true,
      NoncurrentVersionExpiration: { NoncurrentDays: 30 },
    },
    {
      Id: 'expire-shop',
      Status: 'Enabled',
      Prefix: 'nightly/eu/shop/',
      ExpirationInDays: 400,
      Transitions: moves,
    },
    {
      Id: 'expire-crm-2',
      Status: 'Enabled',
      Prefix: 'weekly/crm-2/',
      ExpirationInDays: 120,
      Transitions: moves,
    },
  ]);
});

test('with a key it is encrypted by the key, which rotates and stays', () => {
  expect(only(full, 'AWS::S3::Bucket')).toMatchObject({
    BucketName: 'fleet-backups',
    BucketEncryption: {
      ServerSideEncryptionConfiguration: [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: {
            SSEAlgorithm: 'aws:kms',
            KMSMasterKeyID: { 'Fn::GetAtt': [expect.stringMatching(/^StorageKey/), 'Arn'] },
          },
        },
      ],
    },
    ObjectLockEnabled: true,
    ObjectLockConfiguration: {
      ObjectLockEnabled: 'Enabled',
      Rule: { DefaultRetention: { Days: 30, Mode: 'GOVERNANCE' } },
    },
    LoggingConfiguration: { DestinationBucketName: 'fleet-logs', LogFilePrefix: 'backups/' },
  });
  expect(only(full, 'AWS::KMS::Key')).toMatchObject({ EnableKeyRotation: true });
  expect(
    Object.values(full.json.Resources).find(({ Type }) => Type === 'AWS::KMS::Key')?.DeletionPolicy,
  ).toBe('Retain');
});

test('a bucket that exists is left as it is', () => {
  for (const type of ['AWS::S3::Bucket', 'AWS::S3::BucketPolicy', 'AWS::KMS::Key'])
    expect(all(existing, type)).toEqual([]);
  expect(existing.json.Outputs.Bucket?.Value).toBe('our-backups');
});
