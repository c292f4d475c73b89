import { table } from './markdown.ts';

/** One setting of one variable, the others at their defaults. */
export type SweepPoint = {
  readonly variable: string;
  readonly value: string;
  readonly isDefault: boolean;
  readonly compression: 'none' | 'zstd';
  readonly bandwidth: 'unlimited' | number;
  readonly wallSeconds: readonly number[];
  readonly movingCpuSeconds: readonly number[];
  readonly residentBytes: readonly number[];
  readonly storedBytes: number;
};

export type SweepResults = {
  readonly date: string;
  readonly command: string;
  readonly sizeGb: number;
  readonly points: readonly SweepPoint[];
};

export function renderSweep(_: SweepResults): string {
  return table([], []);
}
