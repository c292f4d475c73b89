import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { EXIT, METRICS } from '../../app/contract.ts';
import { ALARMS, anchorOf, successWindowHours } from '../../infra/alarms.ts';
import { all, FULL, only, SMALL, SOURCE, synthesise } from './samples.ts';

const small = synthesise(SMALL);
const full = synthesise(FULL);
const runbook = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');

type AlarmProperties = Record<string, unknown> & {
  readonly AlarmName: string;
  readonly AlarmDescription: string;
  readonly Period?: number;
  readonly EvaluationPeriods: number;
};
const alarms = (of = small) => all(of, 'AWS::CloudWatch::Alarm') as AlarmProperties[];
const alarm = (kind: string, of = small) =>
  only(
    of,
    'AWS::CloudWatch::Alarm',
    new RegExp(`^Alarms.*${kind.replaceAll('-', '')}`),
  ) as AlarmProperties;

test('there is one for each thing that can go wrong', () => {
  expect(
    alarms()
      .map(({ AlarmName }) => AlarmName)
      .toSorted(),
  ).toEqual(
    [
      'shop-backup-failed',
      'shop-backup-missing',
      'shop-backup-paused',
      'task-stopped',
      'dead-letters',
    ]
      .map((name) => `MydumperFargate-${name}`)
      .toSorted(),
  );
});

test('each has its heading in the runbook, and its text points there', () => {
  const headings = [...runbook.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading);
  for (const heading of Object.values(ALARMS)) expect(headings).toContain(heading);
  const anchors = Object.values(ALARMS).map(anchorOf);
  for (const { AlarmDescription } of [...alarms(small), ...alarms(full)])
    expect(anchors).toContain(AlarmDescription.split('#')[1]);
  expect(alarm('dead-letters', full).AlarmDescription).toContain('https://example.com/runbook.md#');
});

test('every alarm notifies the topic when it begins and when it is over', () => {
  const topic = [{ Ref: expect.stringMatching(/^NotificationsTopic/) }];
  for (const each of alarms(full))
    expect(each).toMatchObject({ AlarmActions: topic, OKActions: topic });
  expect(all(full, 'AWS::SNS::Subscription')).toEqual([
    expect.objectContaining({ Protocol: 'email', Endpoint: 'ops@example.com' }),
  ]);
  expect(JSON.stringify(only(full, 'AWS::SNS::TopicPolicy'))).toContain(
    '"Principal":{"Service":"cloudwatch.amazonaws.com"}',
  );
});

test('a failed backup raises an alarm within minutes', () => {
  expect(alarm('backup-failed')).toMatchObject({
    Namespace: 'MydumperFargate',
    MetricName: 'BackupFailed',
    Dimensions: [{ Name: 'Source', Value: 'shop' }],
    Statistic: 'Sum',
    Period: 300,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'notBreaching',
  });
});

test('missing data is breaching: no success within the longest gap between two runs', () => {
  // A day, a quarter of an hour, six hours; and two to spare.
  expect(alarm('backup-missing')).toMatchObject({
    MetricName: 'BackupSucceeded',
    Statistic: 'Sum',
    Period: 3600,
    EvaluationPeriods: 33,
    Threshold: 1,
    ComparisonOperator: 'LessThanThreshold',
    TreatMissingData: 'breaching',
  });
  expect(
    successWindowHours({
      schedule: {
        expression: 'rate(12 hours)',
        flexibleMinutes: 0,
        longestRunHours: 3,
        timeZone: 'UTC',
        enabled: true,
      },
    }),
  ).toBe(17);
});

test('synth warns of a schedule too slow for the alarm about a missing backup', () => {
  expect(alarms(full).map(({ AlarmName }) => AlarmName)).not.toContain(
    'Fleet-crm-2-backup-missing',
  );
  const said = full.stack.node
    .findAll()
    .flatMap(({ node }) => node.metadata.map(({ data }) => String(data)));
  expect(said).toContainEqual(expect.stringMatching(/^crm-2: CloudWatch alarms look back 7 days/));
  for (const { Period = 0, EvaluationPeriods } of alarms(full))
    expect(Period * EvaluationPeriods).toBeLessThanOrEqual(7 * 86_400);
});

test('a schedule that is switched off is not waited for', () => {
  const off = synthesise({
    ...SMALL,
    sources: [{ ...SOURCE, schedule: { ...SOURCE.schedule, enabled: false } }],
  });
  expect(alarms(off).map(({ AlarmName }) => AlarmName)).not.toContain(
    'MydumperFargate-shop-backup-missing',
  );
  expect(only(off, 'AWS::Scheduler::Schedule')).toMatchObject({ State: 'DISABLED' });
});

test('a run that was paused for more than half of its time raises an alarm at its end', () => {
  const { Metrics } = alarm('backup-paused') as unknown as {
    Metrics: {
      Id: string;
      Expression?: string;
      MetricStat?: { Metric: { MetricName: string }; Period: number };
    }[];
  };
  expect(alarm('backup-paused')).toMatchObject({
    Threshold: 50,
    ComparisonOperator: 'GreaterThanThreshold',
    TreatMissingData: 'notBreaching',
  });
  expect(
    Metrics.map(({ Id, Expression, MetricStat }) => [
      Id,
      Expression ?? MetricStat?.Metric.MetricName,
    ]),
  ).toEqual([
    ['expr_1', 'IF(FILL(duration, 0) > 0, 100 * FILL(paused, 0) / duration, 0)'],
    ['paused', 'PausedSeconds'],
    ['duration', 'BackupDurationSeconds'],
  ]);
});

test('a task that stopped where the program could not speak is seen in the events of ECS', () => {
  const rule = only(small, 'AWS::Events::Rule') as {
    EventPattern: { detail: Record<string, unknown> };
  };
  expect(rule.EventPattern).toMatchObject({
    source: ['aws.ecs'],
    'detail-type': ['ECS Task State Change'],
  });
  const reported = Object.values(EXIT).filter((code) => code !== EXIT.badConfiguration);
  expect(rule.EventPattern.detail).toMatchObject({
    lastStatus: ['STOPPED'],
    $or: [
      { stopCode: expect.arrayContaining(['TaskFailedToStart']) },
      { containers: { exitCode: [{ 'anything-but': reported }] } },
    ],
  });
  // Killed for its memory, and a bad configuration, which is found before metrics are there.
  expect(reported).not.toContain(137);
  expect(reported).not.toContain(2);
  expect(alarm('task-stopped')).toMatchObject({
    Namespace: 'AWS/Events',
    MetricName: 'TriggeredRules',
    Dimensions: [{ Name: 'RuleName', Value: { Ref: expect.stringMatching(/^TaskEventsRule/) } }],
  });
});

test('EventBridge may write these events to their log group, for this rule only', () => {
  const { PolicyDocument } = only(small, 'AWS::Logs::ResourcePolicy') as {
    PolicyDocument: unknown;
  };
  const text = JSON.stringify(PolicyDocument);
  expect(text).toContain('logs:PutLogEvents');
  expect(text).toContain('aws:SourceArn');
  expect(text).toContain('TaskEventsLog');
});

test('alarms and dashboard know no metric of the program but those of the contract', () => {
  const body = JSON.stringify(only(full, 'AWS::CloudWatch::Dashboard'));
  const named = [...body.matchAll(/Fleet\/Backups\\+",\\+"(\w+)/g)].map(([, name = '']) => name);
  expect(new Set(named)).toEqual(
    new Set([
      'BackupSucceeded',
      'BackupFailed',
      'BackupBytes',
      'BackupDurationSeconds',
      'PausedSeconds',
      'UploadRetries',
      'BytesStaged',
      'BytesDumped',
      'BytesUploaded',
      'Pauses',
    ]),
  );
  for (const name of named) expect(Object.keys(METRICS)).toContain(name);
});
