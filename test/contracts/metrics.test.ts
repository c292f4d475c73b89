import type { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEvents, type Events } from '../../app/events.ts';
import { listenAsMetrics } from '../../app/observe/metrics.ts';
import { someSample, someSummary } from '../observe/samples.ts';
import { type CloudWatch, startCloudWatch } from '../support/cloudwatch.ts';
import { clientOf } from '../support/cloudwatch-client.ts';

// A contract: alarms and dashboards read these metrics. Change one on purpose only, together with
// README.md, the stack and the changelog.
//
// test/observe/metrics.test.ts covers the values over a run and outages.
// test/contracts/command-line.test.ts pins the default namespace.

let cloudWatch: CloudWatch;
let client: CloudWatchClient;

beforeEach(async () => {
  cloudWatch = await startCloudWatch();
  client = clientOf(cloudWatch);
});
afterEach(async () => {
  client?.destroy();
  await cloudWatch?.close();
});

/** The metrics that CloudWatch receives of a run, one line each. */
async function sentBy(run: (events: Events) => void): Promise<string[]> {
  const events = createEvents();
  const metrics = listenAsMetrics(events, {
    namespace: 'MydumperFargate',
    intervalSeconds: 3600,
    source: 'db1',
    region: 'eu-central-1',
    client,
  });
  run(events);
  await metrics.flush();
  return cloudWatch.datums
    .map(({ name, unit, namespace, dimensions, statisticSet }) => {
      const form = statisticSet === undefined ? 'value' : 'statistic set';
      return `${namespace} ${JSON.stringify(dimensions)} ${name}: ${form} in ${unit}`;
    })
    .toSorted();
}

test('metrics of a run that succeeds', async () => {
  const sent = await sentBy((events) => {
    events.emit('sample', someSample);
    events.emit('succeeded', someSummary);
  });
  expect(sent).toMatchSnapshot();
});

test('metrics of a run that fails while it dumps', async () => {
  const sent = await sentBy((events) => {
    events.emit('sample', someSample);
    events.emit('failed', { reason: 'access denied', exitCode: 5, seconds: 3 });
  });
  expect(sent).toMatchSnapshot();
});

test('metrics of a run that is refused before it starts', async () => {
  const sent = await sentBy((events) => {
    events.emit('failed', { reason: 'no bucket', exitCode: 3, seconds: 2 });
  });
  expect(sent).toMatchSnapshot();
});
