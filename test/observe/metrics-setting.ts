import { EventEmitter, once } from 'node:events';
import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, vi } from 'vitest';
import { createEvents, type Events } from '../../app/events.ts';
import { listenAsMetrics, type Metrics, type MetricsOptions } from '../../app/observe/metrics.ts';
import { type CloudWatch, startCloudWatch } from '../support/cloudwatch.ts';
import { clientOf } from '../support/cloudwatch-client.ts';

export const INTERVAL_SECONDS = 60;

export let cloudWatch: CloudWatch;
let client: CloudWatchClient;
export let events: Events;
export let warnings: string[];
const sends = new EventEmitter<{ settled: [] }>();

/** Gives each test of a file its own CloudWatch, client and events. */
export function useCloudWatch(): void {
  beforeEach(async () => {
    cloudWatch = await startCloudWatch();
    client = clientOf(cloudWatch);
    client.middlewareStack.add(
      (next) => (args) => next(args).finally(() => sends.emit('settled')),
      {
        step: 'initialize',
      },
    );
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
}

export function listen(options: Partial<MetricsOptions> = {}): Metrics {
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
export async function passInterval(): Promise<void> {
  const settled = once(sends, 'settled');
  vi.advanceTimersByTime(INTERVAL_SECONDS * 1000);
  await settled;
  await new Promise(setImmediate);
}
