import type { Sample } from './sample.ts';
import { median } from './statistics.ts';

export type GoalId =
  | 'dump-bound'
  | 'against-copy'
  | 'network-bound-none'
  | 'network-bound-zstd'
  | 'stop-upload-resume'
  | 'cpu-rclone'
  | 'cpu-aws'
  | 'cpu-rclone-tls'
  | 'cpu-aws-tls'
  | 'resident'
  | 'linear'
  | 'restore'
  | 'restore-cpu'
  | 'restore-resident';

export type Goal = {
  readonly id: GoalId;
  readonly what: string;
  /** What it is compared with, and how: `≤ 1.05`. */
  readonly limit: number;
  readonly sense: '≤' | '≥';
  /** In the limit's unit; undefined where what it needs was not measured. */
  readonly measured: number | undefined;
  readonly unit: '' | ' MiB' | ' %';
  readonly detail: string;
};

export function isMet({ measured, limit, sense }: Goal): boolean | undefined {
  if (measured === undefined || Number.isNaN(measured)) return undefined;
  return sense === '≤' ? measured <= limit : measured >= limit;
}

export const ratio = (above: number | undefined, below: number | undefined) =>
  above === undefined || below === undefined ? undefined : above / below;

export const shown = (value: number | undefined, digits = 1) => value?.toFixed(digits) ?? '?';

export function medianOf(
  samples: readonly Sample[],
  of: (sample: Sample) => number,
): number | undefined {
  return samples.length === 0 ? undefined : median(samples.map(of));
}
