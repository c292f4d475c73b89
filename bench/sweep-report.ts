import { table } from './markdown.ts';
import { median, spread } from './statistics.ts';

export const SWEPT = [
  'UPLOAD_CONCURRENCY',
  'PART_SIZE_MB',
  'extra parts',
  'compression level',
  'scan period',
] as const;
export type Swept = (typeof SWEPT)[number];

/** One value of one setting, the others at their defaults. */
export type SweepPoint = {
  readonly setting: Swept;
  readonly value: number;
  readonly isDefault: boolean;
  readonly compression: 'none' | 'zstd';
  /** MB/s, or unlimited. */
  readonly bandwidth: 'unlimited' | number;
  /** Where it is another than the sweep's. */
  readonly budgetMiB?: number;
  /** Of each round. */
  readonly wallSeconds: readonly number[];
  readonly movingCpuSeconds: readonly number[];
  readonly residentBytes: readonly number[];
  readonly storedBytes: number;
  /** Which must not be above the budget. */
  readonly peakDiskBytes: number;
};

export type SweepResults = {
  readonly date: string;
  readonly command: string;
  readonly sizeGb: number;
  readonly budgetBytes: number;
  readonly loadBefore: number;
  readonly points: readonly SweepPoint[];
};

const MIB = 1024 ** 2;
/** A value is better than the default only by more than the usual difference of two equal runs. */
const CLEARLY = 0.05;

/**
 * Chooses the value of one setting under one condition. It is the default, unless another value is
 * faster by more than 5 % and by more than the spread of either's rounds. A single round has no
 * spread and decides nothing.
 */
export function chosen(points: readonly SweepPoint[]): SweepPoint | undefined {
  const standard = points.find(({ isDefault }) => isDefault);
  const best = points.toSorted(
    (left, right) => median(left.wallSeconds) - median(right.wallSeconds),
  )[0];
  if (standard === undefined || best === undefined) return best;
  const isClear =
    standard.wallSeconds.length > 1 &&
    median(best.wallSeconds) < (1 - CLEARLY) * median(standard.wallSeconds) &&
    Math.max(...best.wallSeconds) < Math.min(...standard.wallSeconds);
  return isClear ? best : standard;
}

export function renderSweep({
  date,
  command,
  sizeGb,
  budgetBytes,
  loadBefore,
  points,
}: SweepResults): string {
  const groups = new Map<string, SweepPoint[]>();
  for (const point of points) {
    const name = conditionOf(point);
    groups.set(name, [...(groups.get(name) ?? []), point]);
  }
  const rows = [...groups.values()].flatMap((group) => {
    const take = chosen(group);
    return group.map((point, index) => {
      const wall = spread(point.wallSeconds);
      const mark = `${point.isDefault ? ' (default)' : ''}${point === take ? ' ✓' : ''}`;
      return [
        index === 0 ? conditionOf(point) : '',
        `${point.value}${mark}`,
        wall.median.toFixed(1),
        point.wallSeconds.length === 1
          ? '1 round'
          : `${wall.least.toFixed(1)}–${wall.most.toFixed(1)}`,
        median(point.movingCpuSeconds).toFixed(1),
        (median(point.residentBytes) / MIB).toFixed(0),
        (point.storedBytes / 1e6).toFixed(0),
        (point.peakDiskBytes / MIB).toFixed(0),
      ];
    });
  });
  const header = [
    '',
    'value',
    'wall s',
    'least–most',
    'moving CPU s',
    'resident MiB',
    'stored MB',
    'peak disk MiB',
  ];
  return [
    '## Defaults',
    `Written by \`${command}\` on ${date.slice(0, 10)} (load before the start ` +
      `${loadBefore.toFixed(2)}): ${sizeGb} GB through ${(budgetBytes / MIB).toFixed(0)} MiB, ` +
      'one setting changed at a time. What parts are about is measured with a larger budget ' +
      'and files of many parts; extra parts are those in memory beyond one for each file. ' +
      '✓ marks what was chosen: the default, unless another value was faster by more than 5 ' +
      '% and beyond the spread of several rounds.',
    table(header, rows),
    verdict([...groups.values()]),
  ].join('\n\n');
}

function verdict(groups: readonly (readonly SweepPoint[])[]): string {
  const others = groups.flatMap((group) => {
    const take = chosen(group);
    return take === undefined || take.isDefault
      ? []
      : [`- ${conditionOf(take)}: ${take.value} was clearly faster than the default`];
  });
  return others.length === 0 ? 'No value was clearly faster than the default.' : others.join('\n');
}

function conditionOf({ setting, compression, bandwidth, budgetMiB }: SweepPoint): string {
  const budget = budgetMiB === undefined ? '' : `, budget ${budgetMiB} MiB`;
  return (
    `${setting}, ${compression}, ` +
    `${bandwidth === 'unlimited' ? 'S3 unlimited' : `${bandwidth} MB/s`}${budget}`
  );
}
