import type { AlternativeName } from './alternative-names.ts';
import type { Bandwidth } from './options.ts';
import type { Results, Sample } from './sample.ts';
import { fitLine, median } from './statistics.ts';

const MIB = 1024 ** 2;

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
  | 'linear';

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

/** The goals with what was measured in this run. */
export function goalsOf(results: Results): readonly Goal[] {
  const at = (alternative: AlternativeName, bandwidth: Bandwidth, tls = false) =>
    results.samples.filter(
      (sample) =>
        sample.alternative === alternative &&
        sample.bandwidth === bandwidth &&
        (bandwidth === 'balanced' || sample.sizeGb === results.referenceGb) &&
        sample.tls === tls,
    );
  const wall = (alternative: AlternativeName, bandwidth: Bandwidth) =>
    medianOf(at(alternative, bandwidth), ({ wallSeconds }) => wallSeconds);
  const cpuPerGb = (alternative: AlternativeName, tls: boolean) =>
    medianOf(
      at(alternative, 'unlimited', tls),
      ({ movingCpuSeconds, storedBytes }) => movingCpuSeconds / (storedBytes / 1e9),
    );
  const slow = slowest(results.samples);
  const zstdSlow = at('ours-zstd', slow);
  const everyOurs = results.samples.filter(({ alternative }) => alternative.startsWith('ours-'));
  return [
    ...dumpBoundGoals(results),
    ...copyGoals(results),
    {
      id: 'network-bound-none',
      what: `S3 slower than the dump (${bandwidthName(slow)}): wall ÷ floor B, COMPRESS=none`,
      limit: 1.03,
      sense: '≤',
      measured: ratio(wall('ours-none', slow), wall('upload-alone', slow)),
      unit: '',
      detail: `${shown(wall('ours-none', slow))} s against ${shown(wall('upload-alone', slow))} s`,
    },
    {
      id: 'network-bound-zstd',
      what: `S3 slower than the dump (${bandwidthName(slow)}): wall ÷ (stored bytes ÷ bandwidth), COMPRESS=zstd`,
      limit: 1.1,
      sense: '≤',
      measured: medianOf(
        zstdSlow,
        ({ wallSeconds, storedBytes, bytesPerSecond }) =>
          wallSeconds / (storedBytes / (bytesPerSecond ?? Number.NaN)),
      ),
      unit: '',
      detail: `${shown(wall('ours-zstd', slow))} s for ${shown(
        medianOf(zstdSlow, ({ storedBytes }) => storedBytes / 1e6),
        0,
      )} MB stored; the dump alone takes ${shown(wall('mydumper-alone', 'unlimited'))} s`,
    },
    {
      id: 'stop-upload-resume',
      what: 'Dump and network balanced: stop-upload-resume ÷ ours, COMPRESS=none',
      limit: 1.7,
      sense: '≥',
      measured: ratio(wall('stop-upload-resume', 'balanced'), wall('ours-none', 'balanced')),
      unit: '',
      detail: `${shown(wall('stop-upload-resume', 'balanced'))} s against ${shown(wall('ours-none', 'balanced'))} s; mydumper, then rclone ${shown(wall('mydumper-then-rclone', 'balanced'))} s (${shown(ratio(wall('ours-none', 'balanced'), wall('mydumper-then-rclone', 'balanced')), 2)} of it with ours); floor A ${shown(wall('mydumper-alone', 'balanced'))} s, stored bytes ÷ bandwidth ${shown(medianOf(at('ours-none', 'balanced'), ({ storedBytes, bytesPerSecond }) => storedBytes / (bytesPerSecond ?? Number.NaN)))} s`,
    },
    ...cpuGoals(cpuPerGb, false, results.hashRates),
    ...cpuGoals(cpuPerGb, true, results.hashRates),
    {
      id: 'resident',
      what: 'Peak resident memory of our process, every size and bandwidth, default concurrency',
      limit: 250,
      sense: '≤',
      measured:
        everyOurs.length === 0
          ? undefined
          : Math.max(...everyOurs.map(({ moverResidentBytes }) => moverResidentBytes)) / MIB,
      unit: ' MiB',
      detail: `the most of ${everyOurs.length} runs`,
    },
    linearity(results.samples),
  ];
}

const ratio = (above: number | undefined, below: number | undefined) =>
  above === undefined || below === undefined ? undefined : above / below;

const shown = (value: number | undefined, digits = 1) => value?.toFixed(digits) ?? '?';

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

/** What was measured unlimited and without TLS, at each size that was compared, the largest first. */
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

function dumpBoundGoals(results: Results): readonly Goal[] {
  const { processors } = results.machine;
  return bySize(results, ['mydumper-alone']).map(({ sizeGb, of, wall }) => {
    const onShare = floorOnShareLeft(of('mydumper-alone'), of('ours-none'), processors);
    return {
      id: 'dump-bound' as const,
      what: `S3 faster than the dump, ${sizeGb} GB: wall ÷ floor A on the share of processors left, COMPRESS=none`,
      limit: 1.05,
      sense: '≤' as const,
      measured: ratio(wall('ours-none'), onShare?.seconds),
      unit: '' as const,
      detail: `${shown(wall('ours-none'))} s against floor A's ${shown(wall('mydumper-alone'))} s with all ${processors} processors (ratio ${shown(ratio(wall('ours-none'), wall('mydumper-alone')), 2)}), ${shown(onShare?.seconds)} s with the ${shown(onShare?.processors, 2)} that shipping and the S3 server leave${pausedOf(of('ours-none'))}`,
    };
  });
}

function copyGoals(results: Results): readonly Goal[] {
  const copiers = ['mydumper-then-aws', 'mydumper-then-rclone'] as const;
  return bySize(results, copiers).map(({ sizeGb, wall }) => {
    const fastest = Math.min(...copiers.map((copier) => wall(copier) ?? Number.POSITIVE_INFINITY));
    return {
      id: 'against-copy' as const,
      what: `S3 faster than the dump, ${sizeGb} GB: wall ÷ mydumper-then-copy (the faster of AWS CLI and rclone), COMPRESS=none`,
      limit: 0.6,
      sense: '≤' as const,
      measured: ratio(wall('ours-none'), fastest),
      unit: '' as const,
      detail: `${shown(wall('ours-none'))} s; floor A alone is ${shown(ratio(wall('mydumper-alone'), fastest), 2)}; then AWS CLI ${shown(wall('mydumper-then-aws'))} s, then rclone ${shown(wall('mydumper-then-rclone'))} s; with COMPRESS=zstd the ratio is ${shown(ratio(wall('ours-zstd'), fastest), 2)}`,
    };
  });
}

const PEERS = [
  { peer: 'rclone', alternative: 'mydumper-then-rclone' },
  { peer: 'aws', alternative: 'mydumper-then-aws' },
] as const;

/** What moving a GB costs, against the copiers; over TLS, as to AWS itself, bodies are not hashed for the signature by anybody. */
function cpuGoals(
  cpuPerGb: (alternative: AlternativeName, tls: boolean) => number | undefined,
  tls: boolean,
  { sha256 }: Results['hashRates'],
): readonly Goal[] {
  return PEERS.map(({ peer, alternative }) => {
    const ours = cpuPerGb('ours-none', tls);
    const theirs = cpuPerGb(alternative, tls);
    return {
      id: tls ? (`cpu-${peer}-tls` as const) : (`cpu-${peer}` as const),
      what: `Processor seconds per GB shipped${tls ? ' over TLS' : ''} ÷ those of ${peer === 'aws' ? 'the AWS CLI' : peer}, COMPRESS=none`,
      limit: 1,
      sense: '≤' as const,
      measured: ours === undefined || theirs === undefined ? undefined : ours / theirs,
      unit: '' as const,
      detail: `${shown(ours, 2)} s/GB against ${shown(theirs, 2)} s/GB; SHA-256 alone takes ${shown(1e9 / sha256, 2)} s/GB of a processor that does nothing else`,
    };
  });
}

/**
 * How long floor A would take with the processors that shipping and the S3 server leave it: the processor seconds of mydumper and server,
 * spread over those, but no less than it takes with all.
 */
export function floorOnShareLeft(
  alone: readonly Sample[],
  ours: readonly Sample[],
  processors: number,
): { readonly seconds: number; readonly processors: number } | undefined {
  const floorSeconds = medianOf(alone, ({ wallSeconds }) => wallSeconds);
  const floorCpu = medianOf(alone, ({ cpuSeconds, databaseCpuSeconds }) => cpuSeconds + databaseCpuSeconds);
  const taken = medianOf(
    ours,
    ({ movingCpuSeconds, s3CpuSeconds, wallSeconds }) => (movingCpuSeconds + s3CpuSeconds) / wallSeconds,
  );
  if (floorSeconds === undefined || floorCpu === undefined || taken === undefined) return undefined;
  const left = processors - taken;
  return { seconds: Math.max(floorSeconds, floorCpu / left), processors: left };
}

function linearity(samples: readonly Sample[]): Goal {
  const points = sizePoints(samples, 'ours-none', ({ wallSeconds }) => wallSeconds);
  const fit = points.length < 3 ? undefined : fitLine(points);
  const worst = fit?.residuals.map(
    (residual, index) => (100 * Math.abs(residual)) / (points[index]?.y ?? Number.NaN),
  );
  return {
    id: 'linear',
    what: 'Wall grows linearly with size: largest residual of the fit, of what was measured there',
    limit: 10,
    sense: '≤',
    measured: worst === undefined ? undefined : Math.max(...worst),
    unit: ' %',
    detail:
      fit === undefined
        ? 'needs three sizes'
        : `${fit.intercept.toFixed(2)} s + ${fit.slope.toFixed(2)} s/GB, see below`,
  };
}

/** Medians by GB as dumped, of unlimited runs without TLS. */
export function sizePoints(
  samples: readonly Sample[],
  alternative: AlternativeName,
  of: (sample: Sample) => number,
): readonly { readonly x: number; readonly y: number }[] {
  const fitting = samples.filter(
    (sample) => sample.alternative === alternative && sample.bandwidth === 'unlimited' && !sample.tls,
  );
  const sizes = [...new Set(fitting.map(({ sizeGb }) => sizeGb))].sort((left, right) => left - right);
  return sizes.map((size) => {
    const here = fitting.filter(({ sizeGb }) => sizeGb === size);
    return { x: median(here.map(({ dumpedBytes }) => dumpedBytes / 1e9)), y: median(here.map(of)) };
  });
}

function medianOf(samples: readonly Sample[], of: (sample: Sample) => number): number | undefined {
  return samples.length === 0 ? undefined : median(samples.map(of));
}

function slowest(samples: readonly Sample[]): Bandwidth {
  const limited = samples
    .map(({ bandwidth }) => bandwidth)
    .filter((bandwidth) => typeof bandwidth === 'number');
  return limited.length === 0 ? 20 : Math.min(...limited);
}

function bandwidthName(bandwidth: Bandwidth): string {
  return typeof bandwidth === 'number' ? `${bandwidth} MB/s` : bandwidth;
}
