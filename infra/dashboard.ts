import { Duration, Stack } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { MetricName } from '../app/contract.ts';
import type { SourceSettings } from './config-source.ts';
import { backupMetric, type Statistic } from './metrics.ts';
import { stagingLimitMiB } from './sizes.ts';

const MINUTE = Duration.minutes(1);
const DAY = Duration.days(1);
const THIRD = 8;
const WHOLE = 24;
const MIB = 1024 * 1024;

export type BackupDashboardProps = {
  readonly alarms: readonly Alarm[];
  readonly namespace: string;
  readonly sources: readonly SourceSettings[];
};

/** A row of alarms, then for each source a row of the last result and rows of how its runs went. */
export class BackupDashboard extends Construct {
  readonly url: string;

  constructor(scope: Construct, id: string, { alarms, namespace, sources }: BackupDashboardProps) {
    super(scope, id);
    const { region, stackName } = Stack.of(this);
    new Dashboard(this, 'Dashboard', {
      dashboardName: stackName,
      defaultInterval: Duration.days(7),
      widgets: [
        [new AlarmStatusWidget({ title: 'Alarms', width: WHOLE, height: 4, alarms: [...alarms] })],
        ...sources.flatMap((source) => rowsOf(namespace, source)),
      ],
    });
    this.url =
      `https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}` +
      `#dashboards/dashboard/${stackName}`;
  }
}

function rowsOf(namespace: string, source: SourceSettings): IWidget[][] {
  const { name } = source;
  const metric = (metricName: MetricName, statistic: Statistic, period = MINUTE) =>
    backupMetric(namespace, name, metricName, statistic, period).with({ label: metricName });
  const limit = new MathExpression({
    expression: `TIME_SERIES(${stagingLimitMiB(source.ephemeralStorageGiB) * MIB})`,
    label: 'limit',
    period: MINUTE,
  });
  return [
    [new TextWidget({ markdown: `## ${name}`, width: WHOLE, height: 1 })],
    [
      new SingleValueWidget({
        title: `${name}: last day`,
        width: WHOLE,
        height: 3,
        metrics: [
          metric('BackupSucceeded', 'Sum', DAY),
          metric('BackupFailed', 'Sum', DAY),
          metric('BackupBytes', 'Maximum', DAY),
          metric('BackupDurationSeconds', 'Maximum', DAY),
          metric('PausedSeconds', 'Sum', DAY),
          metric('UploadRetries', 'Sum', DAY),
        ],
      }),
    ],
    [
      graph(`${name}: staged against limit`, [metric('BytesStaged', 'Maximum'), limit]),
      graph(`${name}: dumped and uploaded per second`, [
        rate(metric('BytesDumped', 'Sum'), 'dumped'),
        rate(metric('BytesUploaded', 'Sum'), 'uploaded'),
      ]),
      graph(`${name}: pauses`, [metric('PausedSeconds', 'Sum')], [metric('Pauses', 'Sum')]),
    ],
    [
      graph(`${name}: duration`, [metric('BackupDurationSeconds', 'Maximum', DAY)]),
      graph(`${name}: size`, [metric('BackupBytes', 'Maximum', DAY)]),
      graph(`${name}: successes and failures`, [
        metric('BackupSucceeded', 'Sum', DAY),
        metric('BackupFailed', 'Sum', DAY),
      ]),
    ],
  ];
}

function rate(metric: IMetric, label: string): MathExpression {
  return new MathExpression({
    expression: `${label} / PERIOD(${label})`,
    usingMetrics: { [label]: metric },
    label: `bytes ${label} per second`,
    period: MINUTE,
  });
}

function graph(title: string, left: IMetric[], right: IMetric[] = []): GraphWidget {
  return new GraphWidget({ title, left, right, width: THIRD, height: 6, leftYAxis: { min: 0 } });
}
