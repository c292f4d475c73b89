import { expect, test } from 'vitest';
import { EXISTING, FULL, only, SMALL, type Synthesised, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const existing = synthesise(EXISTING);

type Statement = {
  readonly Sid?: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Condition?: unknown;
};

function statements(synthesised: Synthesised, role: RegExp): Statement[] {
  const { Policies } = only(synthesised, 'AWS::IAM::Role', role) as {
    Policies: { PolicyDocument: { Statement: Statement[] } }[];
  };
  return Policies.flatMap(({ PolicyDocument }) => PolicyDocument.Statement);
}

function bucketOf({ json }: Synthesised): string {
  return (
    Object.keys(json.Resources).find((id) => json.Resources[id]?.Type === 'AWS::S3::Bucket') ?? ''
  );
}

test('the backup role can only add under its prefix and send metrics of one namespace', () => {
  expect(statements(small, /^SourceshopRolesBackup/)).toEqual([
    {
      Sid: 'Add',
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: { 'Fn::Join': ['', [{ 'Fn::GetAtt': [bucketOf(small), 'Arn'] }, '/shop/*']] },
    },
    {
      Sid: 'Metrics',
      Effect: 'Allow',
      Action: 'cloudwatch:PutMetricData',
      Resource: '*',
      Condition: { StringEquals: { 'cloudwatch:namespace': 'MydumperFargate' } },
    },
  ]);
});

test('tags and a KMS key add what they need, and only where they are configured', () => {
  const key = { 'Fn::GetAtt': [expect.stringMatching(/^StorageKey/), 'Arn'] };
  const throughS3 = { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } };
  expect(statements(full, /^SourceshopRolesBackup/)).toEqual([
    expect.objectContaining({
      Action: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:PutObjectTagging'],
      Resource: {
        'Fn::Join': ['', [{ 'Fn::GetAtt': [bucketOf(full), 'Arn'] }, '/nightly/eu/shop/*']],
      },
    }),
    expect.objectContaining({
      Action: 'cloudwatch:PutMetricData',
      Condition: { StringEquals: { 'cloudwatch:namespace': 'Fleet/Backups' } },
    }),
    {
      Sid: 'Key',
      Effect: 'Allow',
      Action: ['kms:GenerateDataKey', 'kms:Decrypt'],
      Resource: key,
      Condition: throughS3,
    },
  ]);
  expect(statements(full, /^Sourcecrm2RolesBackup/)[0]?.Action).toEqual([
    's3:PutObject',
    's3:AbortMultipartUpload',
  ]);
});

test('a source with a prefix of its own is bound to that', () => {
  for (const role of [/^Sourcecrm2RolesBackup/, /^Sourcecrm2RolesRestore/])
    expect(statements(full, role)[0]?.Resource).toEqual({
      'Fn::Join': ['', [{ 'Fn::GetAtt': [bucketOf(full), 'Arn'] }, '/weekly/crm-2/*']],
    });
});

test('the restore role can read its own folder: no more', () => {
  expect(statements(existing, /^SourceshopRolesRestore/)).toEqual([
    {
      Sid: 'Read',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: {
        'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::our-backups/shop/*']],
      },
    },
    {
      Sid: 'List',
      Effect: 'Allow',
      Action: 's3:ListBucket',
      Resource: { 'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, ':s3:::our-backups']] },
      Condition: { StringLike: { 's3:prefix': 'shop/*' } },
    },
    {
      Sid: 'Key',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: 'arn:aws:kms:eu-central-1:111122223333:key/00000000-1111-2222-3333-444444444444',
      Condition: { StringEquals: { 'kms:ViaService': 's3.eu-central-1.amazonaws.com' } },
    },
  ]);
});

test('the schedule may start one task definition on one cluster, with its two roles', () => {
  const arn = (id: string) => ({ 'Fn::GetAtt': [expect.stringMatching(id), 'Arn'] });
  expect(statements(small, /^SourceshopScheduleRole/)).toEqual([
    {
      Sid: 'Run',
      Effect: 'Allow',
      Action: 'ecs:RunTask',
      Resource: { Ref: expect.stringMatching(/^SourceshopBackupDefinition/) },
      Condition: { ArnEquals: { 'ecs:cluster': arn('^Cluster') } },
    },
    {
      Sid: 'PassRoles',
      Effect: 'Allow',
      Action: 'iam:PassRole',
      Resource: [arn('^SourceshopRolesBackup'), arn('^SourceshopBackupExecutionRole')],
      Condition: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    },
    {
      Sid: 'DeadLetters',
      Effect: 'Allow',
      Action: 'sqs:SendMessage',
      Resource: arn('^NotificationsDeadLetters'),
    },
  ]);
});

test('the execution role pulls one repository, writes one log, reads one secret', () => {
  const { PolicyDocument } = only(full, 'AWS::IAM::Policy', /^SourceshopBackupExecutionRole/) as {
    PolicyDocument: { Statement: Statement[] };
  };
  expect(
    PolicyDocument.Statement.map(({ Action, Resource }) => [Action, JSON.stringify(Resource)]),
  ).toEqual([
    [
      ['ecr:BatchCheckLayerAvailability', 'ecr:GetDownloadUrlForLayer', 'ecr:BatchGetImage'],
      expect.stringContaining(
        ':repository/cdk-hnb659fds-container-assets-111122223333-eu-central-1',
      ),
    ],
    ['ecr:GetAuthorizationToken', '"*"'],
    [['logs:CreateLogStream', 'logs:PutLogEvents'], expect.stringContaining('["Log')],
    [
      ['secretsmanager:GetSecretValue', 'secretsmanager:DescribeSecret'],
      '"arn:aws:secretsmanager:eu-central-1:111122223333:secret:shop/backup-AbCdEf"',
    ],
    ['kms:Decrypt', expect.stringContaining('key/00000000')],
  ]);
});

test('a wildcard is the whole resource of two actions only, which know no others', () => {
  for (const { json } of [small, full, existing]) {
    const found = Object.values(json.Resources)
      .filter(({ Type }) => Type === 'AWS::IAM::Role' || Type === 'AWS::IAM::Policy')
      .flatMap(({ Properties }) => {
        const { PolicyDocument, Policies = [] } = Properties as {
          PolicyDocument?: { Statement: Statement[] };
          Policies?: { PolicyDocument: { Statement: Statement[] } }[];
        };
        return [
          ...(PolicyDocument === undefined ? [] : PolicyDocument.Statement),
          ...Policies.flatMap((policy) => policy.PolicyDocument.Statement),
        ];
      });
    expect(found.length).toBeGreaterThan(8);
    for (const { Action, Resource } of found) {
      expect([Action].flat().filter((action) => action.includes('*'))).toEqual([]);
      if (Resource === '*')
        expect(['cloudwatch:PutMetricData', 'ecr:GetAuthorizationToken']).toContain(Action);
    }
  }
});

test('only tasks and schedules of this account can assume the roles', () => {
  const trust = (role: RegExp) =>
    (only(small, 'AWS::IAM::Role', role) as { AssumeRolePolicyDocument: { Statement: object[] } })
      .AssumeRolePolicyDocument.Statement;
  expect(trust(/^SourceshopRolesBackup/)).toEqual([
    expect.objectContaining({
      Principal: { Service: 'ecs-tasks.amazonaws.com' },
      Condition: {
        StringEquals: { 'aws:SourceAccount': '111122223333' },
        ArnLike: { 'aws:SourceArn': expect.anything() },
      },
    }),
  ]);
  expect(JSON.stringify(trust(/^SourceshopScheduleRole/))).toContain(
    ':scheduler:eu-central-1:111122223333:schedule-group/MydumperFargate',
  );
});
