import { Stack } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-ecs';
import {
  Effect,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SourceSettings } from './config-source.ts';
import type { BackupNetwork } from './network.ts';
import { type BackupTask, PLATFORM_VERSION } from './task.ts';

/**
 * EventBridge Scheduler retries a failed start (throttling, no capacity) this often, within this
 * time. Then the start becomes a dead letter.
 */
const RETRIES = 10;
const RETRY_SECONDS = 3600;

/** All schedules of a stack. Only schedules of this group may use their roles. */
export class ScheduleGroup extends Construct {
  readonly name: string;
  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.name = Stack.of(this).stackName;
    new CfnScheduleGroup(this, 'Group', { name: this.name });
  }
}

export type BackupScheduleProps = {
  readonly group: ScheduleGroup;
  readonly source: SourceSettings;
  readonly cluster: Cluster;
  readonly task: BackupTask;
  readonly network: BackupNetwork;
  readonly deadLetters: IQueue;
};

/**
 * Starts the backup of one source in time. It does not check whether the previous one still runs: a
 * run holds a lock in the database (`GET_LOCK`, invariant 11). A run that finds the lock held ends
 * with exit code 3 before it touches anything.
 */
export class BackupSchedule extends Construct {
  constructor(
    scope: Construct,
    id: string,
    { group, source, cluster, task, network, deadLetters }: BackupScheduleProps,
  ) {
    super(scope, id);
    const { expression, timeZone, flexibleMinutes, enabled } = source.schedule;
    const role = new Role(this, 'Role', {
      description: `Starts the backup of ${source.name}`,
      assumedBy: schedulerPrincipal(this, group.name),
      inlinePolicies: {
        Start: new PolicyDocument({ statements: startStatements(cluster, task, deadLetters) }),
      },
    });
    const schedule = new CfnSchedule(this, 'Schedule', {
      name: source.name,
      groupName: group.name,
      description: `Backup of ${source.name}`,
      state: enabled ? 'ENABLED' : 'DISABLED',
      scheduleExpression: expression,
      scheduleExpressionTimezone: timeZone,
      flexibleTimeWindow:
        flexibleMinutes === 0
          ? { mode: 'OFF' }
          : { mode: 'FLEXIBLE', maximumWindowInMinutes: flexibleMinutes },
      target: {
        arn: cluster.clusterArn,
        roleArn: role.roleArn,
        deadLetterConfig: { arn: deadLetters.queueArn },
        retryPolicy: { maximumRetryAttempts: RETRIES, maximumEventAgeInSeconds: RETRY_SECONDS },
        ecsParameters: {
          taskDefinitionArn: task.definition.taskDefinitionArn,
          launchType: 'FARGATE',
          platformVersion: PLATFORM_VERSION,
          taskCount: 1,
          networkConfiguration: {
            awsvpcConfiguration: {
              subnets: network.subnets.map(({ subnetId }) => subnetId),
              securityGroups: [network.securityGroup.securityGroupId],
              assignPublicIp: network.assignPublicIp ? 'ENABLED' : 'DISABLED',
            },
          },
        },
      },
    });
    schedule.node.addDependency(group);
  }
}

function schedulerPrincipal(scope: Construct, group: string): ServicePrincipal {
  const { account, region, partition } = Stack.of(scope);
  return new ServicePrincipal('scheduler.amazonaws.com', {
    conditions: {
      StringEquals: {
        'aws:SourceAccount': account,
        'aws:SourceArn': `arn:${partition}:scheduler:${region}:${account}:schedule-group/${group}`,
      },
    },
  });
}

function startStatements(
  cluster: Cluster,
  { definition, executionRole }: BackupTask,
  deadLetters: IQueue,
): PolicyStatement[] {
  return [
    new PolicyStatement({
      sid: 'Run',
      effect: Effect.ALLOW,
      actions: ['ecs:RunTask'],
      resources: [definition.taskDefinitionArn],
      conditions: { ArnEquals: { 'ecs:cluster': cluster.clusterArn } },
    }),
    new PolicyStatement({
      sid: 'PassRoles',
      effect: Effect.ALLOW,
      actions: ['iam:PassRole'],
      resources: [definition.taskRole.roleArn, executionRole.roleArn],
      conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
    }),
    new PolicyStatement({
      sid: 'DeadLetters',
      effect: Effect.ALLOW,
      actions: ['sqs:SendMessage'],
      resources: [deadLetters.queueArn],
    }),
  ];
}
