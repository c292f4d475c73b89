import { Fn, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { BackupAlarms } from './alarms.ts';
import { BackupBucket } from './bucket.ts';
import type { StackSettings } from './config.ts';
import { BackupDashboard } from './dashboard.ts';
import { cpuArchitectureOf, imageOf } from './image.ts';
import { BackupNetwork } from './network.ts';
import { Notifications } from './notifications.ts';
import { output, outputCommands } from './outputs.ts';
import { ScheduleGroup } from './schedule.ts';
import { BackupSource } from './source.ts';
import { TaskEvents } from './task-events.ts';

/** A fleet of databases: what they share, and for each a task definition, a schedule and alarms. */
export class BackupStack extends Stack {
  constructor(scope: Construct, settings: StackSettings, props: StackProps = {}) {
    super(scope, settings.stackName, {
      description: 'MySQL and MariaDB backups to S3 (mydumper-fargate)',
      ...props,
      env: { account: settings.account, region: settings.region },
    });
    const { sources, metricsNamespace: namespace } = settings;

    const storage = new BackupBucket(this, 'Storage', { settings: settings.bucket, sources });
    const network = new BackupNetwork(this, 'Network', { settings: settings.network, sources });
    const cluster = new Cluster(this, 'Cluster', {
      vpc: network.vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    });
    const logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/mydumper-fargate/${this.stackName}`,
      retention: settings.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const notifications = new Notifications(this, 'Notifications', settings.alarmEmail);
    const events = new TaskEvents(this, 'TaskEvents', {
      cluster,
      retention: settings.logRetentionDays,
    });
    const group = new ScheduleGroup(this, 'Schedules');
    const shared = {
      settings,
      storage,
      network,
      cluster,
      logGroup,
      group,
      deadLetters: notifications.deadLetters,
      image: imageOf(this, settings.image),
      cpuArchitecture: cpuArchitectureOf(settings.image),
    };

    for (const source of sources) {
      const { backup, restore } = new BackupSource(this, `Source-${source.name}`, {
        ...shared,
        source,
      });
      outputCommands(this, { cluster, network }, source.name, { backup, restore });
    }
    const { alarms } = new BackupAlarms(this, 'Alarms', {
      topic: notifications.topic,
      deadLetters: notifications.deadLetters,
      stoppedTasksRule: events.ruleName,
      namespace,
      runbookUrl: settings.runbookUrl,
      sources,
    });
    const dashboard = new BackupDashboard(this, 'Dashboard', { alarms, namespace, sources });

    output(this, 'Bucket', storage.bucket.bucketName, 'Where the backups are');
    output(this, 'DashboardUrl', dashboard.url, 'How they went');
    output(this, 'LogGroup', logGroup.logGroupName, 'What the tasks said');
    output(
      this,
      'StoppedTasksLogGroup',
      events.logGroup.logGroupName,
      'What ECS said of tasks that could not',
    );
    output(this, 'AlarmTopic', notifications.topic.topicArn, 'Subscribe to it to receive alarms');
  }

  /**
   * CloudFormation chooses the zones, so that a new VPC needs no look-up and the stack synthesises
   * offline.
   */
  override get availabilityZones(): string[] {
    return [0, 1].map((index) => Fn.select(index, Fn.getAzs()));
  }
}
