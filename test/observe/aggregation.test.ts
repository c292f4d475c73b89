import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Aggregation, createAggregation } from '../../app/observe/aggregation.ts';
import { merge, ofValue, type StatisticSet } from '../../app/observe/statistic-set.ts';
import { samplesOfARun, someSample, someSummary } from './samples.ts';

const wholeNumbers = fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), {
  minLength: 1,
  maxLength: 50,
});

function ofValues(values: readonly number[]): StatisticSet {
  return values.map(ofValue).reduce(merge);
}

test('a set holds count, sum, least and most of its values', () => {
  fc.assert(
    fc.property(wholeNumbers, (values) => {
      expect(ofValues(values)).toEqual({
        sampleCount: values.length,
        sum: values.reduce((sum, value) => sum + value, 0),
        minimum: Math.min(...values),
        maximum: Math.max(...values),
      });
    }),
  );
});

test('merging two sets is the set of all their values', () => {
  fc.assert(
    fc.property(wholeNumbers, wholeNumbers, (some, others) => {
      expect(merge(ofValues(some), ofValues(others))).toEqual(ofValues([...some, ...others]));
    }),
  );
});

const COUNTERS = [
  ['BytesDumped', 'dumpedBytes'],
  ['BytesUploaded', 'uploadedBytes'],
  ['FilesUploaded', 'uploadedFiles'],
  ['Pauses', 'pauses'],
  ['PausedSeconds', 'pausedSeconds'],
  ['UploadRetries', 'uploadRetries'],
] as const;

/** For each sample, whether a call is made after it and how it ends. */
const fates = fc.array(fc.constantFrom('none', 'sent', 'failed'), { maxLength: 50 });

/** Plays `samples` with sends in between; what was sent, by name. */
function play(
  aggregation: Aggregation,
  samples: readonly Parameters<Aggregation['sample']>[0][],
  plan: readonly string[],
) {
  const sent: { name: string; set: StatisticSet }[] = [];
  const send = () => {
    for (const [name, set] of aggregation.take()) sent.push({ name, set });
  };
  samples.forEach((sample, index) => {
    aggregation.sample(sample);
    if (plan[index] === 'failed') aggregation.putBack(aggregation.take());
    if (plan[index] === 'sent') send();
  });
  return { sent, send };
}

test('sums of a counter add up to its last total, whenever it was sent and whatever failed', () => {
  fc.assert(
    fc.property(samplesOfARun, fates, (samples, plan) => {
      const { sent, send } = play(createAggregation(), samples, plan);
      send();
      for (const [metric, field] of COUNTERS) {
        const sets = sent.filter(({ name }) => name === metric).map(({ set }) => set);
        expect(sets.reduce((sum, set) => sum + set.sum, 0)).toBe(samples.at(-1)?.[field] ?? 0);
      }
    }),
  );
});

test('gauges merged over all sends are those of all samples', () => {
  fc.assert(
    fc.property(samplesOfARun, fates, (samples, plan) => {
      fc.pre(samples.length > 0);
      const { sent, send } = play(createAggregation(), samples, plan);
      send();
      const sets = sent.filter(({ name }) => name === 'BytesStaged').map(({ set }) => set);
      expect(sets.reduce(merge)).toEqual(ofValues(samples.map((sample) => sample.stagedBytes)));
    }),
  );
});

test('the end brings counters to the totals of the summary', () => {
  const aggregation = createAggregation();
  aggregation.sample({
    ...someSample,
    uploadedFiles: 19,
    dumpedBytes: 1000,
    pauses: 1,
    pausedSeconds: 2,
  });
  aggregation.succeeded({
    ...someSummary,
    files: 20,
    dumpedBytes: 1500,
    pauses: 3,
    pausedSeconds: 5,
  });
  const sets = aggregation.take();
  expect(sets.get('FilesUploaded')?.sum).toBe(20);
  expect(sets.get('BytesDumped')?.sum).toBe(1500);
  expect(sets.get('Pauses')?.sum).toBe(3);
  expect(sets.get('PausedSeconds')?.sum).toBe(5);
  expect(sets.get('BackupBytes')?.sum).toBe(someSummary.storedBytes);
  expect(sets.get('BackupDurationSeconds')?.sum).toBe(100);
});

test('a total below an earlier one takes nothing back', () => {
  const aggregation = createAggregation();
  aggregation.sample({ ...someSample, dumpedBytes: 1000 });
  aggregation.sample({ ...someSample, dumpedBytes: 900 });
  aggregation.sample({ ...someSample, dumpedBytes: 1100 });
  expect(aggregation.take().get('BytesDumped')).toEqual({
    sampleCount: 3,
    sum: 1100,
    minimum: 0,
    maximum: 1000,
  });
});

test('a run ends once', () => {
  const aggregation = createAggregation();
  aggregation.failed({ seconds: 5 });
  aggregation.failed({ seconds: 6 });
  aggregation.succeeded(someSummary);
  const sets = aggregation.take();
  expect(sets.get('BackupFailed')).toEqual(ofValue(1));
  expect(sets.get('BackupDurationSeconds')).toEqual(ofValue(5));
  expect(sets.has('BackupSucceeded')).toBe(false);
  expect(sets.has('BackupBytes')).toBe(false);
});

test('without a budget there is no utilization, and nothing that is no number', () => {
  const aggregation = createAggregation();
  aggregation.sample({ ...someSample, budgetBytes: 0, pausedSeconds: Number.NaN });
  const sets = aggregation.take();
  expect(sets.has('StagingUtilization')).toBe(false);
  expect([...sets.values()].every((set) => Number.isFinite(set.sum))).toBe(true);
});
