import { Stack } from 'aws-cdk-lib';
import type { Cluster, ContainerImage, CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { BackupBucket } from './bucket.ts';
import type { StackSettings } from './config.ts';
import type { SourceSettings } from './config-source.ts';
import { environmentOf, restoreEnvironmentOf } from './environment.ts';
import type { BackupNetwork } from './network.ts';
import { TaskRoles } from './permissions.ts';
import { BackupSchedule, type ScheduleGroup } from './schedule.ts';
import { importSecret } from './secrets.ts';
import { BackupTask } from './task.ts';

export type BackupSourceProps = {
  readonly settings: StackSettings;
  readonly source: SourceSettings;
  readonly storage: BackupBucket;
  readonly network: BackupNetwork;
  readonly cluster: Cluster;
  readonly logGroup: ILogGroup;
  readonly group: ScheduleGroup;
  readonly deadLetters: IQueue;
  readonly image: ContainerImage;
  readonly cpuArchitecture: CpuArchitecture;
};

/** One database server: its backup, the schedule, and its restore, which only people start. */
export class BackupSource extends Construct {
  readonly backup: BackupTask;
  readonly restore: BackupTask;

  constructor(scope: Construct, id: string, props: BackupSourceProps) {
    super(scope, id);
    const { settings, source, storage, image, cpuArchitecture, logGroup } = props;
    const { bucket, key } = storage;
    const { stackName } = Stack.of(this);
    const roles = new TaskRoles(this, 'Roles', {
      bucket,
      key,
      metricsNamespace: settings.metricsNamespace,
      source,
    });
    const shared = { source, image, cpuArchitecture, logGroup };
    const secret = importSecret(this, 'Secret', source.secret);
    const { restore } = source;

    this.backup = new BackupTask(this, 'Backup', {
      ...shared,
      family: `${stackName}-${source.name}`,
      command: 'backup',
      environment: environmentOf(settings, source, {
        bucketName: bucket.bucketName,
        kmsKeyArn: key?.keyArn,
      }),
      ephemeralStorageGiB: source.ephemeralStorageGiB,
      secret,
      secretKmsKeyArn: source.secretKmsKeyArn,
      taskRole: roles.backup,
    });
    this.restore = new BackupTask(this, 'Restore', {
      ...shared,
      family: `${stackName}-${source.name}-restore`,
      command: 'list',
      environment: restoreEnvironmentOf(settings, source, bucket.bucketName),
      ephemeralStorageGiB: undefined,
      secret: restore === undefined ? secret : importSecret(this, 'RestoreSecret', restore.secret),
      secretKmsKeyArn: restore === undefined ? source.secretKmsKeyArn : restore.secretKmsKeyArn,
      taskRole: roles.restore,
    });
    new BackupSchedule(this, 'Schedule', { ...props, task: this.backup });
  }
}
