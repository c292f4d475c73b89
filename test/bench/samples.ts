import type { Results, Sample } from '../../bench/sample.ts';

export function sample(given: Partial<Sample> & Pick<Sample, 'alternative'>): Sample {
  return {
    sizeGb: 1,
    bandwidth: 'unlimited',
    tls: false,
    round: 1,
    wallSeconds: 10,
    cpuSeconds: 8,
    movingCpuSeconds: 2,
    databaseCpuSeconds: 6,
    s3CpuSeconds: 1,
    peakResidentBytes: 200 * 1024 ** 2,
    moverResidentBytes: 190 * 1024 ** 2,
    peakDiskBytes: 50 * 1024 ** 2,
    dumpedBytes: 1e9,
    storedBytes: 1e9,
    ...given,
  };
}

export function results(samples: readonly Sample[]): Results {
  return {
    date: '2026-11-27T17:00:00.000Z',
    command: 'npm run bench --',
    machine: {
      processors: 2,
      model: 'a processor',
      memoryBytes: 16e9,
      kernel: '6.1',
      system: 'Debian',
      loadBefore: 0.1,
      versions: { Node: 'v24.0.0' },
    },
    threads: 4,
    referenceGb: 1,
    ceilings: [{ tls: false, bytesPerSecond: 1e9, s3CpuSecondsPerGb: 0.7 }],
    hashRates: { sha256: 4e8, crc32: 4e9 },
    samples,
    failures: [],
  };
}
