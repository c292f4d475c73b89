import { Annotations, Duration, Stack } from 'aws-cdk-lib';
import {
  Alarm,
  type AlarmProps,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { SourceSettings } from './config-source.ts';
import { longestGapHours } from './cron.ts';
import { backupMetric } from './metrics.ts';

const PERIOD = Duration.minutes(5);
const DAY = Duration.days(1);
const HOUR = Duration.hours(1);
/**
 * An alarm looks back seven days at the most.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
 */
const LONGEST_WINDOW_HOURS = 168;
/** Clocks that are put forward, a start that retries, and an hour that has just begun. */
const SLACK_HOURS = 2;
const PAUSED_PERCENT = 50;

/** Every kind of alarm with its heading in docs/runbook.md. */
export const ALARMS = {
  'backup-failed': 'Backup failed',
  'backup-missing': 'No successful backup in time',
  'task-stopped': 'Task stopped abnormally',
  'dead-letters': 'Start of a backup failed',
  'backup-paused': 'Backup paused for most of its time',
} as const;
export type AlarmKind = keyof typeof ALARMS;

export type BackupAlarmsProps = {
  readonly topic: ITopic;
  readonly deadLetters: IQueue;
  readonly stoppedTasksRule: string;
  readonly namespace: string;
  readonly runbookUrl: string;
  readonly sources: readonly SourceSettings[];
};

/** The alarms, each with the place in the runbook that says what to do. */
export class BackupAlarms extends Construct {
  readonly alarms: Alarm[] = [];
  readonly #props: BackupAlarmsProps;

  constructor(scope: Construct, id: string, props: BackupAlarmsProps) {
    super(scope, id);
    this.#props = props;
    for (const source of props.sources) this.watch(source);
    this.add(
      'task-stopped',
      undefined,
      'A task stopped and the program could not report why: image, secret, capacity or memory.',
      {
        metric: new Metric({
          namespace: 'AWS/Events',
          metricName: 'TriggeredRules',
          dimensionsMap: { RuleName: props.stoppedTasksRule },
          statistic: 'Sum',
          period: PERIOD,
        }),
      },
    );
    this.add(
      'dead-letters',
      undefined,
      'EventBridge Scheduler could not start a backup and has given up trying.',
      {
        metric: props.deadLetters.metricApproximateNumberOfMessagesVisible({
          statistic: 'Maximum',
          period: PERIOD,
        }),
      },
    );
  }

  private watch(source: SourceSettings): void {
    const { name } = source;
    const { namespace } = this.#props;
    this.add(
      'backup-failed',
      name,
      `The backup of ${name} failed; there is no manifest, so there is no backup of that time.`,
      {
        metric: backupMetric(namespace, name, 'BackupFailed', 'Sum', PERIOD),
      },
    );
    const window = successWindowHours(source);
    if (window > LONGEST_WINDOW_HOURS) this.warnOfLongGaps(name, window);
    else if (source.schedule.enabled) {
      this.add('backup-missing', name, `No backup of ${name} has succeeded for ${window} hours.`, {
        metric: backupMetric(namespace, name, 'BackupSucceeded', 'Sum', HOUR),
        evaluationPeriods: window,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        treatMissingData: TreatMissingData.BREACHING,
      });
    }
    this.add(
      'backup-paused',
      name,
      `mydumper of ${name} was paused for more than half of the run: the network or the disk ` +
        'budget is too small.',
      {
        metric: pausedPercent(namespace, name),
        threshold: PAUSED_PERCENT,
        comparisonOperator: ComparisonOperator.GREATER_THAN_THRESHOLD,
      },
    );
  }

  private warnOfLongGaps(name: string, window: number): void {
    Annotations.of(this).addWarningV2(
      `mydumper-fargate:no-missing-alarm:${name}`,
      `${name}: CloudWatch alarms look back 7 days, its backups need ` +
        `${Math.ceil(window / 24)}: a missing backup raises no alarm. Failed, stopped and ` +
        'unstarted ones still do. Schedule it more often to get the alarm.',
    );
  }

  private add(
    kind: AlarmKind,
    source: string | undefined,
    meaning: string,
    props: Partial<AlarmProps> & { readonly metric: IMetric },
  ): void {
    const { runbookUrl, topic } = this.#props;
    const alarm = new Alarm(this, source === undefined ? kind : `${source}-${kind}`, {
      alarmName: [Stack.of(this).stackName, source, kind]
        .filter((part) => part !== undefined)
        .join('-'),
      alarmDescription: `${meaning} What to do: ${runbookUrl}#${anchorOf(ALARMS[kind])}`,
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
    });
    alarm.addAlarmAction(new SnsAction(topic));
    alarm.addOkAction(new SnsAction(topic));
    this.alarms.push(alarm);
  }
}

/**
 * A success must come within this time: from one run to the next, with the latest start and the
 * longest run.
 */
export function successWindowHours({ schedule }: Pick<SourceSettings, 'schedule'>): number {
  return (
    Math.ceil(
      longestGapHours(schedule.expression) +
        schedule.flexibleMinutes / 60 +
        schedule.longestRunHours,
    ) + SLACK_HOURS
  );
}

/**
 * Covers the runs of the last day. A run sends its duration when it ends; until then the result is
 * 0 and no alarm fires.
 */
function pausedPercent(namespace: string, source: string): MathExpression {
  return new MathExpression({
    expression: 'IF(FILL(duration, 0) > 0, 100 * FILL(paused, 0) / duration, 0)',
    usingMetrics: {
      paused: backupMetric(namespace, source, 'PausedSeconds', 'Sum', DAY),
      duration: backupMetric(namespace, source, 'BackupDurationSeconds', 'Sum', DAY),
    },
    period: DAY,
    label: `${source}: share of the run that mydumper was paused (%)`,
  });
}

/** As GitHub makes them of headings. */
export function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
