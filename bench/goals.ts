import type { AlternativeName } from './alternative-names.ts';
import { type Goal, medianOf, ratio, shown } from './goal.ts';
import { copyGoals, dumpBoundGoals, sizePoints } from './goals-by-size.ts';
import type { Bandwidth } from './options.ts';
import { restoreGoals } from './restore-goals.ts';
import type { Results, Sample } from './sample.ts';
import { fitLine } from './statistics.ts';

const MIB = 1024 ** 2;

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
  const oursBalanced = wall('ours-none', 'balanced');
  const atBandwidth = medianOf(
    at('ours-none', 'balanced'),
    ({ storedBytes, bytesPerSecond }) => storedBytes / (bytesPerSecond ?? Number.NaN),
  );
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
      what:
        `S3 slower than the dump (${bandwidthName(slow)}): wall ÷ (stored bytes ÷ bandwidth), ` +
        'COMPRESS=zstd',
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
      measured: ratio(wall('stop-upload-resume', 'balanced'), oursBalanced),
      unit: '',
      detail:
        `${shown(wall('stop-upload-resume', 'balanced'))} s against ` +
        `${shown(oursBalanced)} s; mydumper, then rclone ` +
        `${shown(wall('mydumper-then-rclone', 'balanced'))} s ` +
        `(${shown(ratio(oursBalanced, wall('mydumper-then-rclone', 'balanced')), 2)} of it ` +
        `with ours); floor A ${shown(wall('mydumper-alone', 'balanced'))} s, stored ` +
        `bytes ÷ bandwidth ${shown(atBandwidth)} s`,
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
    ...restoreGoals(results),
  ];
}

const PEERS = [
  { peer: 'rclone', alternative: 'mydumper-then-rclone' },
  { peer: 'aws', alternative: 'mydumper-then-aws' },
] as const;

/**
 * Compares the cost of moving a GB with that of the copiers. Over TLS, as to AWS itself, no program
 * hashes bodies for the signature.
 */
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
      what:
        `Processor seconds per GB shipped${tls ? ' over TLS' : ''} ÷ those of ` +
        `${peer === 'aws' ? 'the AWS CLI' : peer}, COMPRESS=none`,
      limit: 1,
      sense: '≤' as const,
      measured: ours === undefined || theirs === undefined ? undefined : ours / theirs,
      unit: '' as const,
      detail:
        `${shown(ours, 2)} s/GB against ${shown(theirs, 2)} s/GB; SHA-256 alone takes ` +
        `${shown(1e9 / sha256, 2)} s/GB of a processor that does nothing else`,
    };
  });
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

function slowest(samples: readonly Sample[]): Bandwidth {
  const limited = samples
    .map(({ bandwidth }) => bandwidth)
    .filter((bandwidth) => typeof bandwidth === 'number');
  return limited.length === 0 ? 20 : Math.min(...limited);
}

function bandwidthName(bandwidth: Bandwidth): string {
  return typeof bandwidth === 'number' ? `${bandwidth} MB/s` : bandwidth;
}
