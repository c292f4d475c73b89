import { Duration, Stack } from 'aws-cdk-lib';
import {
  Capability,
  type ContainerImage,
  Secret as ContainerSecret,
  type CpuArchitecture,
  FargateTaskDefinition,
  LinuxParameters,
  LogDriver,
  OperatingSystemFamily,
} from 'aws-cdk-lib/aws-ecs';
import { Effect, type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { Command } from '../app/contract.ts';
import type { SourceSettings } from './config-source.ts';
import { type Environment, STAGING_DIRECTORY } from './environment.ts';
import { acknowledge, acknowledgeWildcard } from './nag.ts';

/** The container's name in `aws ecs run-task --overrides`. */
export const CONTAINER = 'mydumper-fargate';
/** With fewer than this version there is no ephemeral storage to size. */
export const PLATFORM_VERSION = '1.4.0';
const STAGING_VOLUME = 'staging';
/** Of the image's user; the Dockerfile gives it the same number. */
export const USER = '10001:10001';
/**
 * Fargate's longest stop timeout. The program needs 20 s at most after SIGTERM; the rest is for a
 * last answer of S3.
 */
const STOP_TIMEOUT_SECONDS = 120;

export type BackupTaskProps = {
  readonly family: string;
  readonly command: Command;
  readonly source: SourceSettings;
  readonly image: ContainerImage;
  readonly cpuArchitecture: CpuArchitecture;
  readonly environment: Environment;
  /** Disk for the staging volume; undefined for a task that writes nothing to disk. */
  readonly ephemeralStorageGiB: number | undefined;
  readonly secret: ISecret;
  readonly secretKmsKeyArn: string | undefined;
  readonly taskRole: IRole;
  readonly logGroup: ILogGroup;
};

/**
 * One program on Fargate, with its sizes and without privileges. Its root is read-only. Only a
 * backup has a staging volume to write to.
 */
export class BackupTask extends Construct {
  readonly definition: FargateTaskDefinition;
  readonly executionRole: Role;

  constructor(scope: Construct, id: string, props: BackupTaskProps) {
    super(scope, id);
    const { source, family, ephemeralStorageGiB } = props;
    this.executionRole = new Role(this, 'ExecutionRole', {
      description: `Starts ${family}: image, log, secret`,
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
    });
    this.definition = new FargateTaskDefinition(this, 'Definition', {
      family,
      cpu: source.cpu,
      memoryLimitMiB: source.memoryMiB,
      ...(ephemeralStorageGiB !== undefined && {
        ephemeralStorageGiB,
        volumes: [{ name: STAGING_VOLUME }],
      }),
      runtimePlatform: {
        cpuArchitecture: props.cpuArchitecture,
        operatingSystemFamily: OperatingSystemFamily.LINUX,
      },
      taskRole: props.taskRole,
      executionRole: this.executionRole,
    });
    this.addContainer(props);
    this.allowKey(props.secretKmsKeyArn);
    acknowledge(
      this.definition,
      'AwsSolutions-ECS2',
      'The environment holds no secrets: host, sizes, names. User and password come from ' +
        'Secrets Manager.',
    );
    acknowledgeWildcard(
      this.executionRole,
      '*',
      'ecr:GetAuthorizationToken knows no resources; pulling itself is granted for the one ' +
        'repository.',
    );
  }

  private addContainer(props: BackupTaskProps): void {
    const { command, image, environment, secret, logGroup } = props;
    const linuxParameters = new LinuxParameters(this, 'Linux', { initProcessEnabled: true });
    linuxParameters.dropCapabilities(Capability.ALL);
    const container = this.definition.addContainer(CONTAINER, {
      image,
      command: [command],
      user: USER,
      readonlyRootFilesystem: true,
      linuxParameters,
      stopTimeout: Duration.seconds(STOP_TIMEOUT_SECONDS),
      // An empty value counts as not set, but for METRICS_NAMESPACE, where it means none.
      environment: Object.fromEntries(
        Object.entries(environment).filter(
          ([name, value]) => value !== '' || name === 'METRICS_NAMESPACE',
        ),
      ),
      secrets: {
        USERNAME: ContainerSecret.fromSecretsManager(secret, 'username'),
        PASSWORD: ContainerSecret.fromSecretsManager(secret, 'password'),
      },
      logging: LogDriver.awsLogs({ logGroup, streamPrefix: command }),
    });
    if (props.ephemeralStorageGiB === undefined) return;
    container.addMountPoints({
      sourceVolume: STAGING_VOLUME,
      containerPath: STAGING_DIRECTORY,
      readOnly: false,
    });
  }

  /**
   * Allows the key of secrets that the account's own key encrypts, and only through Secrets
   * Manager.
   */
  private allowKey(keyArn: string | undefined): void {
    if (keyArn === undefined) return;
    this.executionRole.addToPrincipalPolicy(
      new PolicyStatement({
        sid: 'SecretKey',
        effect: Effect.ALLOW,
        actions: ['kms:Decrypt'],
        resources: [keyArn],
        conditions: {
          StringEquals: {
            'kms:ViaService': `secretsmanager.${Stack.of(this).region}.amazonaws.com`,
          },
        },
      }),
    );
  }
}
