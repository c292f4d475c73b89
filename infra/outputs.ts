import { CfnOutput } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-ecs';
import type { Construct } from 'constructs';
import type { Command } from '../app/contract.ts';
import { idOf } from './names.ts';
import type { BackupNetwork } from './network.ts';
import { type BackupTask, CONTAINER, PLATFORM_VERSION } from './task.ts';

export type Place = { readonly cluster: Cluster; readonly network: BackupNetwork };

/** The command line that runs a program by hand, ready to be pasted. */
export function runTaskCommand(
  { cluster, network }: Place,
  task: BackupTask,
  words: readonly [Command, ...string[]],
): string {
  const subnets = network.subnets.map(({ subnetId }) => subnetId).join(',');
  const { securityGroupId } = network.securityGroup;
  const publicIp = network.assignPublicIp ? 'ENABLED' : 'DISABLED';
  const overrides = JSON.stringify({ containerOverrides: [{ name: CONTAINER, command: words }] });
  return [
    'aws ecs run-task',
    `--region ${cluster.env.region}`,
    `--cluster ${cluster.clusterName}`,
    `--task-definition ${task.definition.family}`,
    `--launch-type FARGATE --platform-version ${PLATFORM_VERSION}`,
    `--network-configuration 'awsvpcConfiguration={subnets=[${subnets}],` +
      `securityGroups=[${securityGroupId}],assignPublicIp=${publicIp}}'`,
    `--overrides '${overrides}'`,
  ].join(' ');
}

export function output(scope: Construct, name: string, value: string, description: string): void {
  new CfnOutput(scope, name, { value, description });
}

/** Backup, verify and restore of one source. */
export function outputCommands(
  scope: Construct,
  place: Place,
  source: string,
  tasks: { readonly backup: BackupTask; readonly restore: BackupTask },
): void {
  const id = idOf(source);
  output(
    scope,
    `Backup${id}`,
    runTaskCommand(place, tasks.backup, ['backup']),
    `Back ${source} up now`,
  );
  output(
    scope,
    `Verify${id}`,
    runTaskCommand(place, tasks.restore, ['verify', 'latest']),
    `Check the latest backup of ${source}`,
  );
  output(
    scope,
    `Restore${id}`,
    runTaskCommand(place, tasks.restore, ['restore', 'latest']),
    `Restore the latest backup of ${source}`,
  );
}
