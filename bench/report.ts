import { titleOf } from './alternative-names.ts';
import { type Goal, isMet } from './goal.ts';
import { GOAL_NOTES } from './goal-notes.ts';
import { goalsOf } from './goals.ts';
import { sizePoints } from './goals-by-size.ts';
import { table } from './markdown.ts';
import { type ProfileResults, renderProfile } from './profile-report.ts';
import { byCell, type Results, type Sample } from './sample.ts';
import { fitLine, spread } from './statistics.ts';
import { renderSweep, type SweepResults } from './sweep-report.ts';

const MIB = 1024 ** 2;

export type Plot = { readonly file: string; readonly title: string };

/** docs/benchmarks.md: every figure in it comes from the results. */
export function renderReport(about: {
  results: Results;
  plots: readonly Plot[];
  sweep: SweepResults | undefined;
  profile: ProfileResults | undefined;
}): string {
  const { results, plots, sweep, profile } = about;
  const sections = [
    header(results),
    goalSection(goalsOf(results)),
    plots.map(({ file, title }) => `![${title}](${file})`).join('\n\n'),
    tables(results),
    sizeSection(results.samples),
    ...(profile === undefined ? [] : [renderProfile(profile)]),
    ...(sweep === undefined ? [] : [renderSweep(sweep)]),
    method(results),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function header({ date, command, machine, ceilings, threads, hashRates }: Results): string {
  const versions = Object.entries(machine.versions).map(([name, version]) =>
    version.toLowerCase().includes(name.toLowerCase()) ? version : `${name} ${version}`,
  );
  return [
    '# Benchmarks',
    `Written by \`${command}\` on ${date.slice(0, 10)}; do not edit. Figures of each round: ` +
      '[results.json](benchmarks/results.json).',
    `Machine: ${machine.processors} processors (${machine.model}), ` +
      `${(machine.memoryBytes / 1e9).toFixed(0)} GB of memory, ${machine.system}, Linux ` +
      `${machine.kernel}, load before the start ${machine.loadBefore.toFixed(2)}. ` +
      `MariaDB, mydumper with ${threads} threads, the program under test and the S3 server ` +
      'all share these processors.',
    `Versions: ${versions.join(' · ')}.`,
    ceilings
      .map(
        ({ tls, bytesPerSecond, s3CpuSecondsPerGb }) =>
          `The S3 server itself, fed by a loop of raw HTTP PUTs${tls ? ' over TLS' : ''}: ` +
          `${(bytesPerSecond / 1e6).toFixed(0)} MB/s, ${s3CpuSecondsPerGb.toFixed(2)} ` +
          'processor seconds per GB.',
      )
      .join(' '),
    `One processor hashes ${(hashRates.sha256 / 1e6).toFixed(0)} MB/s by SHA-256 ` +
      `(${(1e9 / hashRates.sha256).toFixed(2)} processor seconds per GB, which every file of a ` +
      `manifest costs) and ${(hashRates.crc32 / 1e6).toFixed(0)} MB/s by CRC-32.`,
  ].join('\n\n');
}

function goalSection(goals: readonly Goal[]): string {
  const rows = goals.map((goal) => {
    const met = isMet(goal);
    const measured =
      goal.measured === undefined
        ? 'not measured'
        : `${goal.measured.toFixed(goal.unit === '' ? 2 : 0)}${goal.unit}`;
    return [
      met === undefined ? '–' : met ? '✓' : '✗',
      goal.what,
      `${goal.sense} ${goal.limit}${goal.unit}`,
      measured,
      goal.detail,
    ];
  });
  const missed = goals.filter((goal) => isMet(goal) === false);
  const notes = missed.map((goal) => {
    const gap =
      goal.measured === undefined
        ? ''
        : `${goal.measured.toFixed(2)}${goal.unit} instead of ${goal.sense} ` +
          `${goal.limit}${goal.unit}`;
    return `- **${goal.what}**: ${gap}. ${GOAL_NOTES[goal.id]}`;
  });
  return [
    '## Goals',
    table(['', 'goal', 'limit', 'measured', 'from'], rows),
    ...(notes.length === 0 ? [] : ['Missed:', notes.join('\n')]),
  ].join('\n\n');
}

function tables({ samples, machine }: Results): string {
  const groups = new Map<string, Sample[][]>();
  for (const cell of byCell(samples).values()) {
    const [first] = cell;
    if (first === undefined) continue;
    const name = groupName(first);
    groups.set(name, [...(groups.get(name) ?? []), [...cell]]);
  }
  const header = [
    '',
    'wall s',
    'least–most',
    'CPU s',
    'of it moving',
    'moving s/GB',
    'server CPU s',
    'S3 CPU s',
    'busy %',
    'peak resident MiB',
    'peak disk MiB',
    'stored MB',
  ];
  return [
    '## Side by side',
    ...[...groups].flatMap(([name, cells]) => [
      `### ${name}`,
      table(
        header,
        cells.map((cell) => row(cell, machine.processors)),
      ),
    ]),
  ].join('\n\n');
}

function groupName({ sizeGb, bandwidth, tls, bytesPerSecond, alternative }: Sample): string {
  if (alternative.startsWith('restore-')) return `Restore of ${sizeGb} GB`;
  const speed =
    bandwidth === 'balanced'
      ? `and database ${((bytesPerSecond ?? 0) / 1e6).toFixed(0)} MB/s each (balanced)`
      : bandwidth === 'unlimited'
        ? 'unlimited'
        : `${bandwidth} MB/s`;
  return `${sizeGb} GB, S3 ${speed}${tls ? ', TLS' : ''}`;
}

function row(samples: readonly Sample[], processors: number): string[] {
  const of = (value: (sample: Sample) => number, digits: number) =>
    spread(samples.map(value)).median.toFixed(digits);
  const wall = spread(samples.map(({ wallSeconds }) => wallSeconds));
  const [first] = samples;
  const moved = samples.some(({ storedBytes }) => storedBytes > 0);
  return [
    first === undefined ? '' : titleOf(first.alternative),
    wall.median.toFixed(1),
    samples.length === 1 ? '1 round' : `${wall.least.toFixed(1)}–${wall.most.toFixed(1)}`,
    of(({ cpuSeconds }) => cpuSeconds, 1),
    moved ? of(({ movingCpuSeconds }) => movingCpuSeconds, 1) : '',
    moved
      ? of(({ movingCpuSeconds, storedBytes }) => movingCpuSeconds / (storedBytes / 1e9), 2)
      : '',
    of(({ databaseCpuSeconds }) => databaseCpuSeconds, 1),
    of(({ s3CpuSeconds }) => s3CpuSeconds, 1),
    of((sample) => 100 * busyShare(sample, processors), 0),
    of(({ peakResidentBytes }) => peakResidentBytes / MIB, 0),
    of(({ peakDiskBytes }) => peakDiskBytes / MIB, 0),
    of(({ storedBytes }) => storedBytes / 1e6, 0),
  ];
}

/** Of all processors' time, what the alternative and the servers beside it took. */
function busyShare(
  { cpuSeconds, databaseCpuSeconds, s3CpuSeconds, wallSeconds }: Sample,
  processors: number,
): number {
  return (cpuSeconds + databaseCpuSeconds + s3CpuSeconds) / (processors * wallSeconds);
}

function sizeSection(samples: readonly Sample[]): string {
  const lines = (['ours-none', 'ours-zstd', 'mydumper-alone'] as const).flatMap((alternative) => {
    const walls = sizePoints(samples, alternative, ({ wallSeconds }) => wallSeconds);
    const residents = sizePoints(
      samples,
      alternative,
      ({ moverResidentBytes }) => moverResidentBytes / MIB,
    );
    const fit = fitLine(walls);
    if (fit === undefined) return [];
    return walls.map(({ x, y }, index) => [
      index === 0 ? titleOf(alternative) : '',
      x.toFixed(2),
      y.toFixed(1),
      `${fit.intercept.toFixed(2)} + ${fit.slope.toFixed(2)} × GB`,
      `${(fit.residuals[index] ?? 0).toFixed(2)}`,
      (residents[index]?.y ?? Number.NaN).toFixed(0),
    ]);
  });
  if (lines.length === 0) return '';
  return [
    '## With size',
    table(
      [
        '',
        'GB dumped',
        'wall s',
        'line of least squares',
        'residual s',
        'peak resident MiB of the first process',
      ],
      lines,
    ),
  ].join('\n\n');
}

function method({ failures, samples }: Results): string {
  const rounds = Math.max(0, ...samples.map(({ round }) => round));
  return [
    '## How it was measured',
    [
      `- ${rounds === 1 ? 'One round' : `${rounds} rounds`}, each alternative once in each; ` +
        'medians, and the least and the most wall time.',
      '- Wall time is from the start of the (first) program to the end of the (last), so it ' +
        'holds the start of Node, Python and Go.',
      "- CPU is the kernel's account of the processes that have ended with all they have " +
        'waited for (`cutime` and `cstime`); what mydumper, mysqldump or myloader took of it ' +
        'is found by looking every 20 ms, and the rest is “moving”. Busy is what the ' +
        "alternative and both servers took of all processors' time; what is missing was idle " +
        'or went to others.',
      '- Resident is the sum over the process tree at one moment, the most of all looks; in ' +
        'the goals and with size it is VmHWM of one process. Disk is allocated blocks, looked ' +
        'at from outside every 20 ms or more rarely where there are thousands of files.',
      '- The S3 server is a process of its own, keeps the CRC-32 and the size of what it is ' +
        'sent and throws the rest away (`bench/sink/`); restores read from the server of the ' +
        'tests, which keeps files. Bandwidth is limited in the server, for all connections ' +
        'together.',
      '- Balanced: the way to the database is limited like the S3 server, by a process of ' +
        'its own, and both so much that processors should be no limit; at the largest size up ' +
        'to 4 GB, as sockets hold so much that a small budget is no measure. Everywhere else ' +
        'the database is as fast as the processors let it be.',
      '- Unlimited, all ways to make a backup are compared at each size up to 4 GB; ' +
        'restores, TLS and slow networks at one.',
      '- Our budget is 5 % of the dump; the files are a tenth of it, for all alternatives.',
    ].join('\n'),
    ...(failures.length === 0
      ? []
      : [
          'Runs that ended badly and were made again or left ' +
            `out:\n\n${failures.map((failure) => `- ${failure}`).join('\n')}`,
        ]),
  ].join('\n\n');
}
