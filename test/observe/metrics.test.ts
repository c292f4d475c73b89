import { expect, test, vi } from 'vitest';
import { METRICS } from '../../app/contract.ts';
import { listenAsMetrics } from '../../app/observe/metrics.ts';
import {
  cloudWatch,
  events,
  INTERVAL_SECONDS,
  listen,
  passInterval,
  useCloudWatch,
  warnings,
} from './metrics-setting.ts';
import { MIB, someSample, someSummary } from './samples.ts';

useCloudWatch();

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

test('a failure is sent once, also one before the first sample', async () => {
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
