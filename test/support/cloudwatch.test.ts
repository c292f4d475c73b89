import {
  type CloudWatchClient,
  type CloudWatchClientConfig,
  ListMetricsCommand,
  PutMetricDataCommand,
} from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CloudWatch, startCloudWatch } from './cloudwatch.ts';
import { clientOf } from './cloudwatch-client.ts';

let cloudWatch: CloudWatch;
const clients: CloudWatchClient[] = [];
beforeEach(async () => {
  cloudWatch = await startCloudWatch();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await cloudWatch.close({ tolerant: true });
});

function connect(config: CloudWatchClientConfig = {}): CloudWatchClient {
  const client = clientOf(cloudWatch, config);
  clients.push(client);
  return client;
}

const timestamp = new Date(Math.floor(Date.now() / 1000) * 1000);
const command = new PutMetricDataCommand({
  Namespace: 'Test',
  MetricData: [
    { MetricName: 'Plain', Value: 2.5, Unit: 'Seconds', Timestamp: timestamp },
    {
      MetricName: 'Set',
      Unit: 'Bytes',
      Timestamp: timestamp,
      Dimensions: [{ Name: 'Source', Value: 'db1' }],
      StatisticValues: { SampleCount: 3, Sum: 60, Minimum: 10, Maximum: 30 },
    },
  ],
});

test('values and statistic sets are recorded as the SDK sends them', async () => {
  await connect().send(command);
  await connect().send(command);
  expect(cloudWatch.datums.slice(0, 2)).toEqual([
    {
      namespace: 'Test',
      name: 'Plain',
      value: 2.5,
      statisticSet: undefined,
      unit: 'Seconds',
      dimensions: {},
      timestamp,
    },
    {
      namespace: 'Test',
      name: 'Set',
      value: undefined,
      statisticSet: { sampleCount: 3, sum: 60, minimum: 10, maximum: 30 },
      unit: 'Bytes',
      dimensions: { Source: 'db1' },
      timestamp,
    },
  ]);
  expect(cloudWatch.sum('Set')).toBe(120);
  expect(cloudWatch.sum('Plain')).toBe(5);
  expect(cloudWatch.calls.map((call) => [call.operation, call.outcome, call.compressed])).toEqual([
    ['PutMetricData', 'recorded', false],
    ['PutMetricData', 'recorded', false],
  ]);
});

test('a compressed request is understood', async () => {
  await connect({ requestMinCompressionSizeBytes: 0 }).send(command);
  expect(cloudWatch.calls[0]?.compressed).toBe(true);
  expect(cloudWatch.sum('Set')).toBe(60);
});

test('another operation is refused, and closing says so', async () => {
  const refused = await startCloudWatch();
  const client = connect({ endpoint: refused.endpoint });
  await expect(client.send(new ListMetricsCommand({}))).rejects.toThrow(
    'unknown operation ListMetrics',
  );
  await expect(refused.close()).rejects.toThrow('unknown operation ListMetrics');
});

test.each([
  [
    'both kinds of value',
    { Value: 1, StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 1, Maximum: 1 } },
  ],
  ['no value', {}],
  [
    'an empty statistic set',
    { StatisticValues: { SampleCount: 0, Sum: 0, Minimum: 0, Maximum: 0 } },
  ],
  ['a timestamp of another year', { Value: 1, Timestamp: new Date(0) }],
])('a data point with %s is refused', async (_case, datum) => {
  const put = new PutMetricDataCommand({
    Namespace: 'Test',
    MetricData: [{ MetricName: 'M', ...datum }],
  });
  await expect(connect().send(put)).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } });
  expect(cloudWatch.datums).toEqual([]);
});

test('a throttled call is one the SDK tries again', async () => {
  cloudWatch.fail('throttle');
  await expect(connect({ maxAttempts: 2 }).send(command)).rejects.toThrow('Rate exceeded');
  expect(cloudWatch.calls.map((call) => call.outcome)).toEqual(['failed', 'failed']);
});

test('an internal error is one the SDK tries again', async () => {
  cloudWatch.fail('error');
  const answered = connect({ maxAttempts: 2 }).send(command);
  await cloudWatch.nextCall();
  cloudWatch.fail('none');
  await answered;
  expect(cloudWatch.calls.map((call) => call.outcome)).toEqual(['failed', 'recorded']);
});

test('a hanging endpoint never answers', async () => {
  cloudWatch.fail('hang');
  const abort = new AbortController();
  const sent = connect().send(command, { abortSignal: abort.signal });
  expect(await cloudWatch.nextCall()).toMatchObject({ outcome: 'hanging' });
  abort.abort();
  await expect(sent).rejects.toThrow('abort');
  expect(cloudWatch.datums).toEqual([]);
});
