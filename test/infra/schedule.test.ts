import { expect, test } from 'vitest';
import { all, EXISTING, FULL, only, SMALL, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const existing = synthesise(EXISTING);

test('the schedule runs the task in the network, tries again, and leaves a dead letter', () => {
  expect(only(existing, 'AWS::Scheduler::Schedule')).toEqual({
    Name: 'shop',
    GroupName: 'MydumperFargate',
    Description: 'Backup of shop',
    State: 'ENABLED',
    ScheduleExpression: 'cron(0 3 * * ? *)',
    ScheduleExpressionTimezone: 'UTC',
    FlexibleTimeWindow: { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 },
    Target: {
      Arn: { 'Fn::GetAtt': [expect.stringMatching(/^Cluster/), 'Arn'] },
      RoleArn: { 'Fn::GetAtt': [expect.stringMatching(/^SourceshopScheduleRole/), 'Arn'] },
      DeadLetterConfig: {
        Arn: { 'Fn::GetAtt': [expect.stringMatching(/^NotificationsDeadLetters/), 'Arn'] },
      },
      RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 10 },
      EcsParameters: {
        TaskDefinitionArn: { Ref: expect.stringMatching(/^SourceshopBackupDefinition/) },
        LaunchType: 'FARGATE',
        PlatformVersion: '1.4.0',
        TaskCount: 1,
        NetworkConfiguration: {
          AwsvpcConfiguration: {
            Subnets: ['subnet-0123456789abcdef0'],
            SecurityGroups: [
              { 'Fn::GetAtt': [expect.stringMatching(/^NetworkSecurityGroup/), 'GroupId'] },
            ],
            AssignPublicIp: 'DISABLED',
          },
        },
      },
    },
  });
});

test('in a new VPC the task has an address of its own while it runs', () => {
  const { Target } = only(small, 'AWS::Scheduler::Schedule') as {
    Target: {
      EcsParameters: {
        NetworkConfiguration: {
          AwsvpcConfiguration: { AssignPublicIp: string; Subnets: unknown[] };
        };
      };
    };
  };
  const { AssignPublicIp, Subnets } = Target.EcsParameters.NetworkConfiguration.AwsvpcConfiguration;
  expect(AssignPublicIp).toBe('ENABLED');
  expect(Subnets).toHaveLength(2);
});

test('each source has its own, in its own time zone, on the minute where it wants that', () => {
  const schedules = all(full, 'AWS::Scheduler::Schedule');
  expect(schedules.map(({ Name }) => Name)).toEqual(['shop', 'crm-2']);
  expect(schedules[1]).toMatchObject({
    ScheduleExpressionTimezone: 'Europe/Berlin',
    FlexibleTimeWindow: { Mode: 'OFF' },
  });
});

test('the dead letters are encrypted, kept, and taken by TLS only', () => {
  expect(only(small, 'AWS::SQS::Queue')).toMatchObject({
    SqsManagedSseEnabled: true,
    MessageRetentionPeriod: 14 * 24 * 3600,
  });
  expect(JSON.stringify(only(small, 'AWS::SQS::QueuePolicy'))).toContain(
    '"aws:SecureTransport":"false"',
  );
});
