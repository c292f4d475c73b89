import type { BackupSummary, Sample } from '../events.ts';
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate } from './format.ts';
import { oneLine } from './redact.ts';

/** What the progress display shows; rates in bytes per second. */
export type ProgressState = {
  readonly backupId: string;
  readonly location: string;
  /** What table statistics say the dump will hold; 0 when unknown. */
  readonly estimatedBytes: number;
  readonly elapsedSeconds: number;
  readonly sample: Sample;
  readonly dumpRate: number;
  readonly uploadRate: number;
  /** mydumper is done and the dump's size is known: what is staged is left to ship. */
  readonly dumpFinished: boolean;
  /** Why mydumper was paused the last time. */
  readonly pauseReason: string | undefined;
  /** The tables that mydumper is dumping, `database.table`. */
  readonly tables: readonly string[];
};

/** Above it there is no telling: only the end is 100 %. */
const HIGHEST_SHARE = 0.99;
const WIDEST_BAR = 30;
/** A narrower bar shows no more than the numbers. */
const NARROWEST_BAR = 8;
const SEPARATOR = '  ';

/**
 * The display as lines of at most `columns` characters, joined by line feeds. Text that does not
 * fit is left out, the least important first. Percentage and time left are omitted when the
 * estimate is missing or has proved too low.
 */
export function renderProgress(state: ProgressState, columns: number): string {
  const { sample } = state;
  const share = doneShare(state);
  const left = share === undefined ? undefined : secondsLeft(state);
  const stagedShare = sample.budgetBytes > 0 ? sample.stagedBytes / sample.budgetBytes : undefined;
  const lines: readonly (readonly (string | undefined)[])[] = [
    [`backup ${state.backupId}`, `to ${state.location}`],
    [
      share === undefined ? undefined : bar(share, columns),
      share === undefined ? 'size unknown' : formatPercent(share),
      `running ${formatDuration(state.elapsedSeconds)}`,
      left === undefined ? undefined : `about ${formatDuration(left)} left`,
    ],
    [
      `dumped ${formatBytes(sample.dumpedBytes)} ${formatRate(state.dumpRate)}`,
      `uploaded ${formatBytes(sample.uploadedBytes)} ${formatRate(state.uploadRate)}`,
      formatCount(sample.uploadedFiles, 'file'),
    ],
    [
      `staged ${formatBytes(sample.stagedBytes)} of ${formatBytes(sample.budgetBytes)}`,
      stagedShare === undefined ? undefined : bar(stagedShare, columns / 2),
      stagedShare === undefined ? undefined : formatPercent(stagedShare),
      `peak ${formatBytes(sample.peakStagedBytes)}`,
    ],
    [
      activity(state),
      sample.pauses === 0 ? undefined : pausesSoFar(sample),
      ...(dumpEnds(state) ? [] : state.tables.map(oneLine)),
    ],
  ];
  return lines.map((segments) => fitSegments(segments, columns)).join('\n');
}

/** How much of the backup is done, from 0 to 0.99; undefined if unknown. */
export function doneShare({
  sample,
  estimatedBytes,
  dumpFinished,
}: ProgressState): number | undefined {
  if (dumpFinished) {
    if (sample.dumpedBytes <= 0) return HIGHEST_SHARE;
    return between(0, 1 - sample.stagedBytes / sample.dumpedBytes, HIGHEST_SHARE);
  }
  if (estimatedBytes <= 0 || sample.dumpedBytes > estimatedBytes) return undefined;
  return between(0, sample.dumpedBytes / estimatedBytes, HIGHEST_SHARE);
}

function secondsLeft({
  sample,
  estimatedBytes,
  dumpRate,
  dumpFinished,
}: ProgressState): number | undefined {
  if (dumpFinished || dumpRate <= 0) return undefined;
  return (estimatedBytes - sample.dumpedBytes) / dumpRate;
}

function dumpEnds({ sample, dumpFinished }: ProgressState): boolean {
  return dumpFinished || sample.state === 'finishing';
}

function activity(state: ProgressState): string {
  const { sample, pauseReason } = state;
  if (dumpEnds(state)) return 'finishing: shipping what is left';
  if (sample.state === 'paused')
    return pauseReason === undefined ? 'paused' : `paused: ${oneLine(pauseReason)}`;
  return sample.state;
}

function pausesSoFar({ pauses, pausedSeconds }: Pick<Sample, 'pauses' | 'pausedSeconds'>): string {
  return `${formatCount(pauses, 'pause')}, ${formatDuration(pausedSeconds)}`;
}

function bar(share: number, room: number): string | undefined {
  const width = Math.min(WIDEST_BAR, Math.floor(room / 3));
  if (width < NARROWEST_BAR) return undefined;
  const full = Math.floor(between(0, share, 1) * width);
  return `[${'█'.repeat(full)}${'░'.repeat(width - full)}]`;
}

/** As many segments as fit, in order; the first is cut if even that is too long. */
function fitSegments(segments: readonly (string | undefined)[], columns: number): string {
  const [first = '', ...rest] = segments.filter((segment) => segment !== undefined);
  let line = [...first].length > columns ? `${[...first].slice(0, columns - 1).join('')}…` : first;
  for (const segment of rest) {
    if ([...line, ...SEPARATOR, ...segment].length > columns) break;
    line += SEPARATOR + segment;
  }
  return line;
}

function between(least: number, value: number, most: number): number {
  return Math.max(least, Math.min(value, most));
}

/** What stays on the terminal after a backup, a few lines. */
export function renderSummary(summary: BackupSummary): string {
  const { seconds, pauses, pausedSeconds, peakStagedBytes, budgetBytes } = summary;
  const rate = (bytes: number) => formatRate(seconds > 0 ? bytes / seconds : 0);
  const paused =
    pauses === 0
      ? 'never paused'
      : `${formatCount(pauses, 'pause')} of ${formatDuration(pausedSeconds)} in all` +
        (seconds > 0 ? ` (${formatPercent(pausedSeconds / seconds)})` : '');
  const peak = budgetBytes > 0 ? ` (${formatPercent(peakStagedBytes / budgetBytes)})` : '';
  return [
    `backup ${summary.backupId} is complete: ${summary.location}`,
    `  ${formatCount(summary.files, 'file')}, ${formatBytes(summary.dumpedBytes)} dumped, ` +
      `${formatBytes(summary.storedBytes)} stored`,
    `  took ${formatDuration(seconds)}: dumped at ${rate(summary.dumpedBytes)}, ` +
      `uploaded at ${rate(summary.storedBytes)}`,
    `  mydumper: ${paused}; uploads: ${formatCount(summary.uploadRetries, 'retry', 'retries')}`,
    `  staging held at most ${formatBytes(peakStagedBytes)} of ${formatBytes(budgetBytes)}${peak}`,
  ].join('\n');
}

/** One line; the failure's first cause. */
export function renderFailure(failure: {
  reason: string;
  exitCode: number;
  seconds: number;
}): string {
  return (
    `backup failed after ${formatDuration(failure.seconds)} (exit code ${failure.exitCode}): ` +
    oneLine(failure.reason)
  );
}
