import {
  CloudWatchClient,
  type MetricDatum,
  PutMetricDataCommand,
  type StandardUnit,
} from '@aws-sdk/client-cloudwatch';
import { METRIC_DIMENSION, METRICS, type MetricName } from '../contract.ts';
import { messageOf } from '../errors.ts';
import type { Events } from '../events.ts';
import { createAggregation } from './aggregation.ts';
import type { StatisticSets } from './statistic-set.ts';

/**
 * How long the program's end may wait for CloudWatch. It is a part of the 20 s that a signalled run
 * has in all (invariant 8).
 */
const FLUSH_DEADLINE_SECONDS = 5;
const CONNECT_MILLISECONDS = 2_000;
/**
 * CloudWatch answers well within a second, and a longer wait is an outage. The next interval
 * retries the unsent data.
 */
const REQUEST_MILLISECONDS = 4_000;
const ATTEMPTS = 3;

export type MetricsOptions = {
  /** CloudWatch namespace; empty switches metrics off: no client, nothing sent. */
  readonly namespace: string;
  readonly intervalSeconds: number;
  readonly source: string;
  readonly region: string;
  /** How long `flush` may take; 5 unless given. */
  readonly deadlineSeconds?: number;
  /** Used instead of an own one, and left open. */
  readonly client?: CloudWatchClient;
};

export type Metrics = {
  /**
   * Sends the remaining data and stops. Gives up after the deadline, also on an endpoint that never
   * answers. Never rejects: a failure is a `warning` event.
   */
  readonly flush: () => Promise<void>;
};

/**
 * Sends a backup's metrics to CloudWatch: samples as statistic sets about every `intervalSeconds`.
 * Each interval is one PutMetricData of at most twelve data points (of 1000 allowed). Over a run
 * the Sums of a counter add up to its final value, bytes and counts exactly.
 *
 * The next call includes the data of a failed call. A call whose answer was lost is sent again too,
 * and then counts twice. PutMetricData cannot be made idempotent, and a missing `BackupFailed` is
 * worse than a second one. One `warning` reports an outage, however long it lasts. Nothing here
 * throws, and nothing keeps the process alive by itself.
 */
export function listenAsMetrics(events: Events, options: MetricsOptions): Metrics {
  if (options.namespace === '') return { flush: async () => {} };

  const aggregation = createAggregation();
  events.on('sample', aggregation.sample);
  events.on('succeeded', aggregation.succeeded);
  events.on('failed', aggregation.failed);

  const client = options.client ?? createClient(options.region);
  const giveUp = new AbortController();
  let inOutage = false;
  let sending: Promise<void> | undefined;

  const warnOnce = (reason: string) => {
    if (inOutage) return;
    inOutage = true;
    events.emit('warning', {
      message: `metrics could not be sent to CloudWatch; the backup is not affected: ${reason}`,
      detail: { namespace: options.namespace, region: options.region },
    });
  };
  const send = async () => {
    const sets = aggregation.take();
    if (sets.size === 0) return;
    try {
      const command = new PutMetricDataCommand({
        Namespace: options.namespace,
        MetricData: dataOf(sets, options.source, new Date()),
      });
      await client.send(command, { abortSignal: giveUp.signal });
      inOutage = false;
    } catch (error) {
      aggregation.putBack(sets);
      if (!giveUp.signal.aborted) warnOnce(reasonOf(error));
    }
  };

  const timer = setInterval(() => {
    sending ??= send().finally(() => {
      sending = undefined;
    });
  }, options.intervalSeconds * 1000).unref();

  const flush = async () => {
    clearInterval(timer);
    const seconds = options.deadlineSeconds ?? FLUSH_DEADLINE_SECONDS;
    const deadline = Promise.withResolvers<void>();
    const deadlineTimer = setTimeout(() => {
      giveUp.abort();
      warnOnce(`no answer within ${seconds} seconds`);
      deadline.resolve();
    }, seconds * 1000);
    try {
      // The call under way may hang, so the rest does not wait for it. If that call fails, its data
      // are sent once more.
      const everything = Promise.all([sending, send()]).then(send);
      // The credentials lookup ignores the abort signal, so this code keeps the deadline too.
      await Promise.race([everything, deadline.promise]);
    } finally {
      clearTimeout(deadlineTimer);
      if (options.client === undefined) client.destroy();
    }
  };
  return { flush };
}

function createClient(region: string): CloudWatchClient {
  return new CloudWatchClient({
    region,
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECT_MILLISECONDS,
      requestTimeout: REQUEST_MILLISECONDS,
      // Without it the SDK only logs that the time is over, and still waits.
      throwOnRequestTimeout: true,
    },
  });
}

function dataOf(sets: StatisticSets<MetricName>, source: string, timestamp: Date): MetricDatum[] {
  return Array.from(sets, ([name, { sampleCount, sum, minimum, maximum }]) => ({
    MetricName: name,
    Unit: METRICS[name] satisfies StandardUnit,
    Dimensions: [{ Name: METRIC_DIMENSION, Value: source }],
    Timestamp: timestamp,
    StatisticValues: { SampleCount: sampleCount, Sum: sum, Minimum: minimum, Maximum: maximum },
  }));
}

/** Connection errors to several addresses have an empty message but a code. */
function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (message !== '') return message;
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
