import fc from 'fast-check';
import type { BackupEvents, BackupSummary, Sample } from '../../app/events.ts';

export const MIB = 1024 * 1024;

export const someSample: Sample = {
  stagedBytes: 30 * MIB,
  budgetBytes: 64 * MIB,
  peakStagedBytes: 60 * MIB,
  dumpedBytes: 100 * MIB,
  uploadedBytes: 20 * MIB,
  uploadedFiles: 14,
  pauses: 2,
  pausedSeconds: 1.5,
  uploadRetries: 1,
  state: 'running',
};

export const someSummary: BackupSummary = {
  backupId: '20261122T030000Z',
  location: 's3://backups/db1/20261122T030000Z/',
  files: 20,
  dumpedBytes: 200 * MIB,
  storedBytes: 40 * MIB,
  seconds: 100,
  pauses: 3,
  pausedSeconds: 10,
  peakStagedBytes: 60 * MIB,
  budgetBytes: 64 * MIB,
  uploadRetries: 1,
};

export const someStart: BackupEvents['started'][0] = {
  backupId: '20261122T030000Z',
  source: 'db1',
  location: 's3://backups/db1/20261122T030000Z/',
  server: 'MariaDB 11.4.2',
  mydumper: '0.19.3',
  budgetBytes: 64 * MIB,
  estimatedBytes: 200 * MIB,
  lockMode: 'ftwrl',
  consistency: 'global read lock',
};

const growth = fc.nat({ max: 2 ** 40 });
const step = fc.record({
  stagedBytes: fc.nat({ max: 2 ** 40 }),
  dumpedBytes: growth,
  uploadedBytes: growth,
  uploadedFiles: growth,
  pauses: growth,
  pausedSeconds: growth,
  uploadRetries: growth,
});

/**
 * The samples of a run: counters that start anywhere and grow by any steps. They are whole numbers,
 * so that sums are exact.
 */
export const samplesOfARun: fc.Arbitrary<readonly Sample[]> = fc
  .array(step, { maxLength: 50 })
  .map((steps) => {
    const samples: Sample[] = [];
    for (const { stagedBytes, ...grown } of steps) {
      const last = samples.at(-1);
      samples.push({
        stagedBytes,
        budgetBytes: 64 * MIB,
        peakStagedBytes: Math.max(stagedBytes, last?.peakStagedBytes ?? 0),
        dumpedBytes: (last?.dumpedBytes ?? 0) + grown.dumpedBytes,
        uploadedBytes: (last?.uploadedBytes ?? 0) + grown.uploadedBytes,
        uploadedFiles: (last?.uploadedFiles ?? 0) + grown.uploadedFiles,
        pauses: (last?.pauses ?? 0) + grown.pauses,
        pausedSeconds: (last?.pausedSeconds ?? 0) + grown.pausedSeconds,
        uploadRetries: (last?.uploadRetries ?? 0) + grown.uploadRetries,
        state: 'running',
      });
    }
    return samples;
  });
