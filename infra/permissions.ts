import { Stack } from 'aws-cdk-lib';
import {
  Effect,
  type IRole,
  PolicyDocument,
  PolicyStatement,
  Role,
  ServicePrincipal,
} from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import type { SourceSettings } from './config-source.ts';
import { acknowledgeWildcard } from './nag.ts';
import { folderOf } from './names.ts';

export type TaskRolesProps = {
  readonly bucket: IBucket;
  readonly key: IKey | undefined;
  readonly metricsNamespace: string;
  readonly source: SourceSettings;
};

/**
 * The permissions of one source's programs. The backup can only add and the restore can only read,
 * each in the source's own folder.
 */
export class TaskRoles extends Construct {
  readonly backup: IRole;
  readonly restore: IRole;

  constructor(scope: Construct, id: string, props: TaskRolesProps) {
    super(scope, id);
    const { bucket, source } = props;
    const folder = folderOf(source);
    const objects = bucket.arnForObjects(`${folder}*`);
    this.backup = this.role(
      'Backup',
      `Adds backups of ${source.name}`,
      backupStatements(props, objects),
    );
    this.restore = this.role(
      'Restore',
      `Reads backups of ${source.name}`,
      restoreStatements(props, objects, folder),
    );
    for (const role of [this.backup, this.restore]) {
      acknowledgeWildcard(
        role,
        objects,
        'The key of an object holds the time of its run and the name of its table, so it can ' +
          `only be named by the folder of ${source.name}.`,
      );
    }
    acknowledgeWildcard(
      this.backup,
      '*',
      'cloudwatch:PutMetricData knows no resources; a condition binds it to the one namespace.',
    );
  }

  private role(id: string, description: string, statements: PolicyStatement[]): Role {
    return new Role(this, id, {
      description,
      assumedBy: taskPrincipal(this),
      inlinePolicies: { Access: new PolicyDocument({ statements }) },
    });
  }
}

/** Accepts only tasks of this account, so that a service of another account cannot use the role. */
export function taskPrincipal(scope: Construct): ServicePrincipal {
  const { account, region, partition } = Stack.of(scope);
  return new ServicePrincipal('ecs-tasks.amazonaws.com', {
    conditions: {
      StringEquals: { 'aws:SourceAccount': account },
      ArnLike: { 'aws:SourceArn': `arn:${partition}:ecs:${region}:${account}:*` },
    },
  });
}

/**
 * Grants neither read, list nor delete. The probe of preflight (a multipart upload, created and
 * aborted) and conditional writes (If-None-Match) need no more.
 */
function backupStatements(
  { key, metricsNamespace, source }: TaskRolesProps,
  objects: string,
): PolicyStatement[] {
  const tags = Object.keys(source.objectTags).length > 0 ? ['s3:PutObjectTagging'] : [];
  return [
    allow('Add', ['s3:PutObject', 's3:AbortMultipartUpload', ...tags], objects),
    new PolicyStatement({
      sid: 'Metrics',
      effect: Effect.ALLOW,
      actions: ['cloudwatch:PutMetricData'],
      resources: ['*'],
      conditions: { StringEquals: { 'cloudwatch:namespace': metricsNamespace } },
    }),
    // S3 decrypts the data key again for each part of a multipart upload.
    ...(key === undefined ? [] : [throughS3(key, ['kms:GenerateDataKey', 'kms:Decrypt'])]),
  ];
}

function restoreStatements(
  { bucket, key }: TaskRolesProps,
  objects: string,
  folder: string,
): PolicyStatement[] {
  return [
    allow('Read', ['s3:GetObject'], objects),
    new PolicyStatement({
      sid: 'List',
      effect: Effect.ALLOW,
      actions: ['s3:ListBucket'],
      resources: [bucket.bucketArn],
      conditions: { StringLike: { 's3:prefix': `${folder}*` } },
    }),
    ...(key === undefined ? [] : [throughS3(key, ['kms:Decrypt'])]),
  ];
}

function throughS3(key: IKey, actions: string[]): PolicyStatement {
  return new PolicyStatement({
    sid: 'Key',
    effect: Effect.ALLOW,
    actions,
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `s3.${Stack.of(key).region}.amazonaws.com` } },
  });
}

function allow(sid: string, actions: string[], resource: string): PolicyStatement {
  return new PolicyStatement({ sid, effect: Effect.ALLOW, actions, resources: [resource] });
}
