import type { AlternativeName } from './alternative-names.ts';
import { type Goal, medianOf, ratio, shown } from './goal.ts';
import type { Results, Sample } from './sample.ts';
import { median } from './statistics.ts';

/** How much of the time mydumper was paused, where that was kept. */
function pausedOf(samples: readonly Sample[]): string {
  const kept = samples.find(({ pauses }) => pauses !== undefined);
  if (kept === undefined) return '';
  const seconds = (kept.pauses ?? []).reduce(
    (sum, { fromSeconds, toSeconds }) => sum + toSeconds - fromSeconds,
    0,
  );
  return `; mydumper was paused for ${seconds.toFixed(1)} s of ${kept.wallSeconds.toFixed(1)} s`;
}

/** The measurements without bandwidth limit and TLS at each compared size, the largest first. */
function bySize({ samples }: Results, needed: readonly AlternativeName[]) {
  const fast = samples.filter(({ bandwidth, tls }) => bandwidth === 'unlimited' && !tls);
  const sizes = [...new Set(fast.map(({ sizeGb }) => sizeGb))].sort((left, right) => right - left);
  return sizes
    .map((sizeGb) => {
      const of = (alternative: AlternativeName) =>
        fast.filter((sample) => sample.sizeGb === sizeGb && sample.alternative === alternative);
      const wall = (alternative: AlternativeName) =>
        medianOf(of(alternative), ({ wallSeconds }) => wallSeconds);
      return { sizeGb, of, wall };
    })
    .filter(({ wall }) => needed.some((alternative) => wall(alternative) !== undefined));
}

export function dumpBoundGoals(results: Results): readonly Goal[] {
  const { processors } = results.machine;
  return bySize(results, ['mydumper-alone']).map(({ sizeGb, of, wall }) => {
    const onShare = floorOnShareLeft(of('mydumper-alone'), of('ours-none'), processors);
    return {
      id: 'dump-bound' as const,
      what:
        `S3 faster than the dump, ${sizeGb} GB: wall ÷ floor A on the share of processors ` +
        'left, COMPRESS=none',
      limit: 1.05,
      sense: '≤' as const,
      measured: ratio(wall('ours-none'), onShare?.seconds),
      unit: '' as const,
      detail:
        `${shown(wall('ours-none'))} s against floor A's ${shown(wall('mydumper-alone'))} s ` +
        `with all ${processors} processors (ratio ` +
        `${shown(ratio(wall('ours-none'), wall('mydumper-alone')), 2)}), ` +
        `${shown(onShare?.seconds)} s with the ${shown(onShare?.processors, 2)} that shipping ` +
        `and the S3 server leave${pausedOf(of('ours-none'))}`,
    };
  });
}

export function copyGoals(results: Results): readonly Goal[] {
  const copiers = ['mydumper-then-aws', 'mydumper-then-rclone'] as const;
  return bySize(results, copiers).map(({ sizeGb, wall }) => {
    const fastest = Math.min(...copiers.map((copier) => wall(copier) ?? Number.POSITIVE_INFINITY));
    return {
      id: 'against-copy' as const,
      what:
        `S3 faster than the dump, ${sizeGb} GB: wall ÷ mydumper-then-copy (the faster of AWS ` +
        'CLI and rclone), COMPRESS=none',
      limit: 0.6,
      sense: '≤' as const,
      measured: ratio(wall('ours-none'), fastest),
      unit: '' as const,
      detail:
        `${shown(wall('ours-none'))} s; floor A alone is ` +
        `${shown(ratio(wall('mydumper-alone'), fastest), 2)}; then AWS CLI ` +
        `${shown(wall('mydumper-then-aws'))} s, then rclone ` +
        `${shown(wall('mydumper-then-rclone'))} s; with COMPRESS=zstd the ratio is ` +
        `${shown(ratio(wall('ours-zstd'), fastest), 2)}`,
    };
  });
}

/**
 * The time of floor A with the processors that shipping and the S3 server leave it. It spreads the
 * processor seconds of mydumper and server over those, but takes no less than with all processors.
 */
export function floorOnShareLeft(
  alone: readonly Sample[],
  ours: readonly Sample[],
  processors: number,
): { readonly seconds: number; readonly processors: number } | undefined {
  const floorSeconds = medianOf(alone, ({ wallSeconds }) => wallSeconds);
  const floorCpu = medianOf(
    alone,
    ({ cpuSeconds, databaseCpuSeconds }) => cpuSeconds + databaseCpuSeconds,
  );
  const taken = medianOf(
    ours,
    ({ movingCpuSeconds, s3CpuSeconds, wallSeconds }) =>
      (movingCpuSeconds + s3CpuSeconds) / wallSeconds,
  );
  if (floorSeconds === undefined || floorCpu === undefined || taken === undefined) return undefined;
  const left = processors - taken;
  return { seconds: Math.max(floorSeconds, floorCpu / left), processors: left };
}

/** Medians by GB as dumped, of unlimited runs without TLS. */
export function sizePoints(
  samples: readonly Sample[],
  alternative: AlternativeName,
  of: (sample: Sample) => number,
): readonly { readonly x: number; readonly y: number }[] {
  const fitting = samples.filter(
    (sample) =>
      sample.alternative === alternative && sample.bandwidth === 'unlimited' && !sample.tls,
  );
  const sizes = [...new Set(fitting.map(({ sizeGb }) => sizeGb))].sort(
    (left, right) => left - right,
  );
  return sizes.map((size) => {
    const here = fitting.filter(({ sizeGb }) => sizeGb === size);
    return { x: median(here.map(({ dumpedBytes }) => dumpedBytes / 1e9)), y: median(here.map(of)) };
  });
}
