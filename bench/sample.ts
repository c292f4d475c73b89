import { readFileSync } from 'node:fs';
import type { Moment } from './measure.ts';
import type { Pause } from './pauses.ts';
import { type Cell, cellName } from './plan.ts';

/**
 * One cell measured in one round. For an alternative of several steps, seconds are the sum and
 * peaks the maximum.
 */
export type Sample = Cell & {
  readonly round: number;
  /** What the bandwidth was, in bytes per second; absent when unlimited. */
  readonly bytesPerSecond?: number;
  readonly wallSeconds: number;
  /** Of all processes of the alternative. */
  readonly cpuSeconds: number;
  /** The same without the program that dumps or loads: what moving the bytes took. */
  readonly movingCpuSeconds: number;
  readonly databaseCpuSeconds: number;
  readonly s3CpuSeconds: number;
  readonly peakResidentBytes: number;
  /** Of the program that moves the bytes, as the kernel kept it. */
  readonly moverResidentBytes: number;
  readonly peakDiskBytes: number;
  readonly budgetBytes?: number;
  readonly dumpedBytes: number;
  readonly storedBytes: number;
  readonly timeline?: readonly Moment[];
  readonly pauses?: readonly Pause[];
};

export type Machine = {
  readonly processors: number;
  readonly model: string;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly system: string;
  /** Processes ready to run, a minute's mean, before the bench began. */
  readonly loadBefore: number;
  readonly versions: Readonly<Record<string, string>>;
};

export type Ceiling = {
  readonly tls: boolean;
  readonly bytesPerSecond: number;
  readonly s3CpuSecondsPerGb: number;
};

/**
 * Bytes that one processor hashes per processor second: the least cost of a backup with checksums.
 */
export type HashRates = { readonly sha256: number; readonly crc32: number };

export type Results = {
  readonly date: string;
  readonly command: string;
  readonly machine: Machine;
  readonly threads: number;
  readonly referenceGb: number;
  readonly ceilings: readonly Ceiling[];
  readonly hashRates: HashRates;
  readonly samples: readonly Sample[];
  /** Cells that did not end well and were measured again or left out, a line each. */
  readonly failures: readonly string[];
};

/** Samples of the same cell, in the order of their first appearance. */
export function byCell(samples: readonly Sample[]): ReadonlyMap<string, readonly Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = cellName(sample);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [sample]);
    else group.push(sample);
  }
  return groups;
}

export function readResults(path: string): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}
