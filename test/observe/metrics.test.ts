import { EventEmitter, once } from 'node:events';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { METRICS } from '../../app/contract.ts';
import { createEvents, type Events } from '../../app/events.ts';
import { listenAsMetrics, type Metrics, type MetricsOptions } from '../../app/observe/metrics.ts';
import { type CloudWatch, startCloudWatch } from '../support/cloudwatch.ts';
import { MIB, someSample, someSummary } from './samples.ts';

const INTERVAL_SECONDS = 60;

let cloudWatch: CloudWatch;
let client: CloudWatchClient;
let events: Events;
let warnings: string[];
const sends = new EventEmitter<{ settled: [] }>();

beforeEach(async () => {
  cloudWatch = await startCloudWatch();
  client = new CloudWatchClient({
    region: 'eu-central-1',
    endpoint: cloudWatch.endpoint,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  client.middlewareStack.add((next) => (args) => next(args).finally(() => sends.emit('settled')), {
    step: 'initialize',
  });
  events = createEvents();
  warnings = [];
  events.on('warning', ({ message }) => warnings.push(message));
  // The network goes on in real time; only the interval between two sends is ours to advance.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
});
afterEach(async () => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  client.destroy();
  await cloudWatch.close();
});

function listen(options: Partial<MetricsOptions> = {}): Metrics {
  return listenAsMetrics(events, {
    namespace: 'MydumperFargate',
    intervalSeconds: INTERVAL_SECONDS,
    source: 'db1',
    region: 'eu-central-1',
    client,
    ...options,
  });
}

/** Lets an interval pass and waits until the client knows what became of its call. */
async function passInterval(): Promise<void> {
  const settled = once(sends, 'settled');
  vi.advanceTimersByTime(INTERVAL_SECONDS * 1000);
  await settled;
  await new Promise(setImmediate);
}

test('a run adds up over intervals, failed ones included', async () => {
  const metrics = listen();
  events.emit('sample', {
    ...someSample,
    dumpedBytes: 10 * MIB,
    uploadedFiles: 1,
    pauses: 0,
    pausedSeconds: 0,
  });
  events.emit('sample', {
    ...someSample,
    dumpedBytes: 20 * MIB,
    uploadedFiles: 1,
    pauses: 1,
    pausedSeconds: 0.2,
  });
  await passInterval();
  cloudWatch.fail('error');
  events.emit('sample', {
    ...someSample,
    dumpedBytes: 50 * MIB,
    uploadedFiles: 7,
    pauses: 2,
    pausedSeconds: 0.7,
  });
  await passInterval();
  cloudWatch.fail('none');
  events.emit('sample', {
    ...someSample,
    dumpedBytes: 90 * MIB,
    uploadedFiles: 9,
    pauses: 2,
    pausedSeconds: 0.7,
  });
  await passInterval();
  events.emit('sample', {
    ...someSample,
    dumpedBytes: 91 * MIB,
    stagedBytes: 0,
    state: 'finishing',
  });
  events.emit('succeeded', someSummary);
  await metrics.flush();

  expect(cloudWatch.sum('BytesDumped')).toBe(someSummary.dumpedBytes);
  expect(cloudWatch.sum('BytesUploaded')).toBe(someSummary.storedBytes);
  expect(cloudWatch.sum('FilesUploaded')).toBe(someSummary.files);
  expect(cloudWatch.sum('Pauses')).toBe(someSummary.pauses);
  expect(cloudWatch.sum('PausedSeconds')).toBeCloseTo(someSummary.pausedSeconds, 9);
  expect(cloudWatch.sum('UploadRetries')).toBe(someSummary.uploadRetries);
  expect(cloudWatch.sum('BackupBytes')).toBe(someSummary.storedBytes);
  expect(cloudWatch.sum('BackupDurationSeconds')).toBe(someSummary.seconds);
  expect(cloudWatch.sum('BackupSucceeded')).toBe(1);
  expect(cloudWatch.sum('BackupFailed')).toBe(0);
  const staged = cloudWatch.datums.filter((datum) => datum.name === 'BytesStaged');
  expect(staged.map((datum) => datum.statisticSet?.sampleCount)).toEqual([2, 2, 1]);
  expect(warnings).toHaveLength(1);
});

test('names, units, namespace and dimension are those of the contract', async () => {
  const metrics = listen({ namespace: 'Backups' });
  events.emit('sample', someSample);
  events.emit('succeeded', someSummary);
  await metrics.flush();
  const { BackupFailed, ...expected } = METRICS;
  expect(Object.fromEntries(cloudWatch.datums.map(({ name, unit }) => [name, unit]))).toEqual(
    expected,
  );
  expect(new Set(cloudWatch.datums.map((datum) => datum.namespace))).toEqual(new Set(['Backups']));
  for (const datum of cloudWatch.datums) expect(datum.dimensions).toEqual({ Source: 'db1' });
  const utilization = cloudWatch.datums.find((datum) => datum.name === 'StagingUtilization');
  expect(utilization?.statisticSet?.maximum).toBe((100 * 30) / 64);
});

test('a failure is told once, also one before the first sample', async () => {
  const metrics = listen();
  events.emit('failed', { reason: 'no bucket', exitCode: 3, seconds: 2 });
  await metrics.flush();
  await metrics.flush();
  expect(cloudWatch.sum('BackupFailed')).toBe(1);
  expect(cloudWatch.sum('BackupDurationSeconds')).toBe(2);
  expect(cloudWatch.calls).toHaveLength(1);
});

test('an interval without news sends nothing', async () => {
  const metrics = listen();
  vi.advanceTimersByTime(10 * INTERVAL_SECONDS * 1000);
  await metrics.flush();
  expect(cloudWatch.calls).toEqual([]);
});

test('an empty namespace sends nothing and listens to nothing', async () => {
  const metrics = listen({ namespace: '' });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(cloudWatch.calls).toEqual([]);
  expect(events.eventNames()).toEqual(['warning']);
});

test('an outage of many intervals is one warning, and a later one is another', async () => {
  const metrics = listen();
  const outage = async () => {
    cloudWatch.fail('error');
    for (let interval = 0; interval < 3; interval++) {
      events.emit('sample', someSample);
      await passInterval();
    }
    cloudWatch.fail('none');
    await passInterval();
  };
  await outage();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain('metrics could not be sent to CloudWatch');
  await outage();
  expect(warnings).toHaveLength(2);
  await metrics.flush();
});

test.each(['error', 'throttle'] as const)('flush survives an endpoint in mode %s', async (mode) => {
  const metrics = listen();
  cloudWatch.fail(mode);
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toHaveLength(1);
  expect(cloudWatch.datums).toEqual([]);
});

test('flush tries what an interval could not send', async () => {
  const metrics = listen();
  cloudWatch.fail('throttle');
  events.emit('failed', { reason: 'ENOSPC', exitCode: 6, seconds: 9 });
  await passInterval();
  cloudWatch.fail('none');
  await metrics.flush();
  expect(cloudWatch.sum('BackupFailed')).toBe(1);
});

test('flush gives up on an endpoint that never answers, and tells why', async () => {
  const metrics = listen({ deadlineSeconds: 0.2 });
  cloudWatch.fail('hang');
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toEqual([expect.stringContaining('no answer within 0.2 seconds')]);
  expect(cloudWatch.calls.map((call) => call.outcome)).toEqual(['hanging']);
});

test('a call that hangs does not keep flush from sending the rest', async () => {
  const metrics = listen({ deadlineSeconds: 0.5 });
  cloudWatch.fail('hang');
  events.emit('sample', someSample);
  const hanging = cloudWatch.nextCall();
  vi.advanceTimersByTime(INTERVAL_SECONDS * 1000);
  await hanging;
  cloudWatch.fail('none');
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(cloudWatch.sum('BackupSucceeded')).toBe(1);
  expect(warnings).toHaveLength(1);
});

test('flush gives up on credentials that never come', async () => {
  const stuck = new CloudWatchClient({
    region: 'eu-central-1',
    endpoint: cloudWatch.endpoint,
    credentials: () => new Promise(() => {}),
  });
  const metrics = listen({ client: stuck, deadlineSeconds: 0.1 });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toHaveLength(1);
  expect(cloudWatch.calls).toEqual([]);
});

test('an unreachable endpoint is a warning with its reason', async () => {
  const unreachable = new CloudWatchClient({
    region: 'eu-central-1',
    endpoint: 'http://127.0.0.1:1',
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
  const metrics = listen({ client: unreachable });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
});

test("its own client goes by the SDK's environment", async () => {
  vi.stubEnv('AWS_ENDPOINT_URL_CLOUDWATCH', cloudWatch.endpoint);
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'key');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
  const metrics = listenAsMetrics(events, {
    namespace: 'MydumperFargate',
    intervalSeconds: INTERVAL_SECONDS,
    source: 'db1',
    region: 'eu-central-1',
  });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(cloudWatch.sum('BackupSucceeded')).toBe(1);
});
