import type { MetricName } from '../contract.ts';
import type { BackupSummary, Sample } from '../events.ts';
import { mergeInto, ofValue, type StatisticSet, type StatisticSets } from './statistic-set.ts';

/** Metrics that count up over a run, each with its field of a sample. */
const COUNTERS = {
  BytesDumped: 'dumpedBytes',
  BytesUploaded: 'uploadedBytes',
  FilesUploaded: 'uploadedFiles',
  Pauses: 'pauses',
  PausedSeconds: 'pausedSeconds',
  UploadRetries: 'uploadRetries',
} as const satisfies Partial<Record<MetricName, keyof Sample>>;

type CounterName = keyof typeof COUNTERS;
const COUNTER_NAMES = Object.keys(COUNTERS) as CounterName[];

/**
 * The part of a run that has not been sent yet: one statistic set for each metric. It stays small
 * however long it waits.
 */
export type Aggregation = {
  /**
   * Takes a sample of the run: gauges with their values, counters with their growth since the last
   * sample.
   */
  readonly sample: (sample: Sample) => void;
  /** Ends the run; counters are brought to the summary's totals. Only the first end counts. */
  readonly succeeded: (summary: BackupSummary) => void;
  readonly failed: (failure: { readonly seconds: number }) => void;
  /** Returns everything and starts again. */
  readonly take: () => StatisticSets<MetricName>;
  /** Gives back what could not be sent: it is merged with what came since. */
  readonly putBack: (sets: StatisticSets<MetricName>) => void;
};

export function createAggregation(): Aggregation {
  let sets = new Map<MetricName, StatisticSet>();
  const reached = new Map<CounterName, number>();
  let ended = false;

  const add = (name: MetricName, value: number) => {
    // CloudWatch refuses the whole call for one value that is not a number.
    if (Number.isFinite(value)) mergeInto(sets, name, ofValue(value));
  };
  /** Adds what a counter grew by. A counter never shrinks: a lower total says nothing new. */
  const advance = (name: CounterName, total: number) => {
    const before = reached.get(name) ?? 0;
    const now = Math.max(before, total);
    reached.set(name, now);
    add(name, now - before);
  };
  const end = (outcome: 'BackupSucceeded' | 'BackupFailed', seconds: number) => {
    ended = true;
    add('BackupDurationSeconds', seconds);
    add(outcome, 1);
  };

  return {
    sample: (sample) => {
      add('BytesStaged', sample.stagedBytes);
      if (sample.budgetBytes > 0)
        add('StagingUtilization', (100 * sample.stagedBytes) / sample.budgetBytes);
      for (const name of COUNTER_NAMES) advance(name, sample[COUNTERS[name]]);
    },
    succeeded: (summary) => {
      if (ended) return;
      advance('BytesDumped', summary.dumpedBytes);
      advance('BytesUploaded', summary.storedBytes);
      advance('FilesUploaded', summary.files);
      advance('Pauses', summary.pauses);
      advance('PausedSeconds', summary.pausedSeconds);
      advance('UploadRetries', summary.uploadRetries);
      add('BackupBytes', summary.storedBytes);
      end('BackupSucceeded', summary.seconds);
    },
    failed: ({ seconds }) => {
      if (!ended) end('BackupFailed', seconds);
    },
    take: () => {
      const taken = sets;
      sets = new Map();
      return taken;
    },
    putBack: (unsent) => {
      for (const [name, set] of unsent) mergeInto(sets, name, set);
    },
  };
}
