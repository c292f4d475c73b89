import { expect, test, vi } from 'vitest';
import { clientOf } from '../support/cloudwatch-client.ts';
import {
  cloudWatch,
  events,
  INTERVAL_SECONDS,
  listen,
  passInterval,
  useCloudWatch,
  warnings,
} from './metrics-setting.ts';
import { someSample, someSummary } from './samples.ts';

useCloudWatch();

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

test('flush gives up on an endpoint that never answers, and reports the reason', async () => {
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
  const stuck = clientOf(cloudWatch, { credentials: () => new Promise(() => {}) });
  const metrics = listen({ client: stuck, deadlineSeconds: 0.1 });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toHaveLength(1);
  expect(cloudWatch.calls).toEqual([]);
});

test('an unreachable endpoint is a warning with its reason', async () => {
  const unreachable = clientOf({ endpoint: 'http://127.0.0.1:1' });
  const metrics = listen({ client: unreachable });
  events.emit('succeeded', someSummary);
  await metrics.flush();
  expect(warnings).toEqual([expect.stringContaining('ECONNREFUSED')]);
});
