import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { Cluster } from 'aws-cdk-lib/aws-ecs';
import { CfnRule } from 'aws-cdk-lib/aws-events';
import { CfnResourcePolicy, LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { EXIT } from '../app/contract.ts';

/**
 * Exit codes for ends that the program itself reports, by a metric or to the sender of the signal.
 * A bad configuration is not among them: the program finds it before it can send metrics.
 */
export const REPORTED_BY_PROGRAM: readonly number[] = Object.values(EXIT).filter(
  (code) => code !== EXIT.badConfiguration,
);

export type TaskEventsProps = { readonly cluster: Cluster; readonly retention: RetentionDays };

/**
 * Tasks that ended before the program could report why: no image, no capacity, a missing secret,
 * killed for its memory. ECS reports this as events only. A log group keeps them, and the rule's
 * own count is the metric.
 */
export class TaskEvents extends Construct {
  readonly logGroup: LogGroup;
  readonly ruleName: string;

  constructor(scope: Construct, id: string, { cluster, retention }: TaskEventsProps) {
    super(scope, id);
    const { account, partition, region, stackName } = Stack.of(this);
    // EventBridge writes to log groups of this name only.
    this.logGroup = new LogGroup(this, 'Log', {
      logGroupName: `/aws/events/${stackName}-stopped-tasks`,
      retention,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const rule = new CfnRule(this, 'Rule', {
      description: 'Backup tasks that stopped and the program could not report why',
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
            { containers: { exitCode: [{ 'anything-but': REPORTED_BY_PROGRAM }] } },
          ],
        },
      },
      targets: [
        {
          id: 'Log',
          arn: `arn:${partition}:logs:${region}:${account}:log-group:${this.logGroup.logGroupName}`,
        },
      ],
    });
    this.ruleName = rule.ref;
    // The form that
    // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html requires.
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
