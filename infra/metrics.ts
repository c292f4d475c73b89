import type { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { METRIC_DIMENSION, type MetricName } from '../app/contract.ts';

export type Statistic = 'Sum' | 'Maximum' | 'Average';

/** A metric that the program sends for one source. */
export function backupMetric(
  namespace: string,
  source: string,
  metricName: MetricName,
  statistic: Statistic,
  period: Duration,
): Metric {
  return new Metric({
    namespace,
    metricName,
    dimensionsMap: { [METRIC_DIMENSION]: source },
    statistic,
    period,
  });
}
