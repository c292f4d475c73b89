import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-ecs';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnResourcePolicy, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { EXIT } from '../app/contract.ts';

/**
 * Exit codes by which the program says what happened itself, as a metric or to whoever stopped it.
 * A bad configuration is not among them: it is found before there is anything to send metrics with.
 */
export const TOLD_BY_THE_PROGRAM: readonly number[] = Object.values(EXIT).filter(
  (code) => code !== EXIT.badConfiguration,
);

export type TaskEventsProps = { readonly cluster: Cluster; readonly retention: RetentionDays };

/**
 * Tasks that ended where the program could not speak: the image was not to be pulled, no capacity,
 * a secret missing, killed for its memory. ECS tells it as events only; they are kept in a log
 * group, and the rule's own count is the metric.
 */
export class TaskEvents extends Construct {
  readonly logGroup: LogGroup;
  readonly ruleName: string;

  constructor(scope: Construct, id: string, { cluster, retention }: TaskEventsProps) {
    super(scope, id);
    const { account, stackName } = Stack.of(this);
    // EventBridge writes to log groups of this name only.
    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/events/${stackName}-stopped-tasks`,
      retention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const rule = new CfnRule(this, 'Rule', {
      description: 'Backup tasks that stopped where the program could not tell why',
      eventPattern: {
        source: ['aws.ecs'],
        'detail-type': ['ECS Task State Change'],
        detail: {
          clusterArn: [cluster.clusterArn],
          lastStatus: ['STOPPED'],
          $or: [
            {
              stopCode: [
                'TaskFailedToStart',
                'TerminationNotice',
                'SpotInterruption',
                'InternalError',
              ],
            },
            { containers: { exitCode: [{ 'anything-but': TOLD_BY_THE_PROGRAM }] } },
          ],
        },
      },
      targets: [
        {
          id: 'Log',
          arn: `arn:${Stack.of(this).partition}:logs:${Stack.of(this).region}:${account}:log-group:${this.logGroup.logGroupName}`,
        },
      ],
    });
    this.ruleName = rule.ref;
    // As https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html asks
    // for.
    const writers = { Service: ['events.amazonaws.com', 'delivery.logs.amazonaws.com'] };
    new CfnResourcePolicy(this, 'LogPolicy', {
      policyName: `${stackName}-stopped-tasks`,
      policyDocument: Stack.of(this).toJsonString({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: writers,
            Action: 'logs:CreateLogStream',
            Resource: this.logGroup.logGroupArn,
          },
          {
            Effect: 'Allow',
            Principal: writers,
            Action: 'logs:PutLogEvents',
            Resource: this.logGroup.logGroupArn,
            Condition: { ArnEquals: { 'aws:SourceArn': rule.attrArn } },
          },
        ],
      }),
    });
  }
}
