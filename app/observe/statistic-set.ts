/**
 * Many values of one metric, in the form that CloudWatch accepts in one data point. A set is never
 * empty: CloudWatch refuses a sample count of 0
 * (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_StatisticSet.html).
 */
export type StatisticSet = {
  readonly sampleCount: number;
  readonly sum: number;
  readonly minimum: number;
  readonly maximum: number;
};

/** Statistic sets by metric name. */
export type StatisticSets<Name extends string> = ReadonlyMap<Name, StatisticSet>;

export function ofValue(value: number): StatisticSet {
  return { sampleCount: 1, sum: value, minimum: value, maximum: value };
}

/** The set of all values of both. Whole numbers below 2^53 add up exactly, in any order. */
export function merge(a: StatisticSet, b: StatisticSet): StatisticSet {
  return {
    sampleCount: a.sampleCount + b.sampleCount,
    sum: a.sum + b.sum,
    minimum: Math.min(a.minimum, b.minimum),
    maximum: Math.max(a.maximum, b.maximum),
  };
}

/** Adds `set` to what `sets` holds under `name`. */
export function mergeInto<Name extends string>(
  sets: Map<Name, StatisticSet>,
  name: Name,
  set: StatisticSet,
): void {
  const known = sets.get(name);
  sets.set(name, known === undefined ? set : merge(known, set));
}
