import { Failure, messageOf } from '../errors.ts';
import type { Events, Sample } from '../events.ts';
import { formatBytes, formatCount, formatDuration, formatPercent, formatRate } from './format.ts';
import { createJsonLogger, type LogLevel } from './json-logger.ts';
import { oneLine } from './redact.ts';

/** How often a `progress` line is written. */
const PROGRESS_INTERVAL_SECONDS = 30;

export type LogOptions = {
  readonly level: LogLevel;
  readonly source: string;
  readonly progressIntervalSeconds?: number;
  /** Seconds of a clock that never goes back. */
  readonly now?: () => number;
  /** Standard output unless given. */
  readonly output?: NodeJS.WritableStream;
};

type Level = 'debug' | 'info' | 'warn' | 'error';
type Line = (
  level: Level,
  event: string,
  message: string,
  fields?: Record<string, unknown>,
) => void;

/**
 * Writes a backup's events as JSON lines, for CloudWatch Logs Insights: `filter event = "paused"`.
 *
 * Every line has `level`, `message`, `timestamp`, `service`, `source` and `event`. It has
 * `backupId` once that is known. The other fields are the event's own, with bytes and seconds as
 * numbers. `event` is the name of the event in events.ts, or `progress`. Events that may come
 * 100,000 times are DEBUG (`shipped`, mydumper's info lines).
 */
export function listenAsLog(events: Events, options: LogOptions): void {
  const logger = createJsonLogger(options.level, options.source, options.output ?? process.stdout);
  const now = options.now ?? (() => performance.now() / 1000);
  const line: Line = (level, event, message, fields) =>
    logger[level](message, { event, ...fields });

  events.on('started', (start) => {
    logger.appendKeys({ backupId: start.backupId });
    line('info', 'started', `backup ${start.backupId} started, to ${start.location}`, start);
  });
  listenToPauses(events, line);
  listenToSamples(events, line, now, options.progressIntervalSeconds ?? PROGRESS_INTERVAL_SECONDS);

  events.on('notice', ({ message, detail }) => line('info', 'notice', message, { detail }));
  events.on('warning', ({ message, detail }) => line('warn', 'warning', message, { detail }));
  events.on('mydumper', ({ level, message }) => line(MYDUMPER_LEVELS[level], 'mydumper', message));
  events.on('locksReleased', (release) => {
    line(
      'info',
      'locksReleased',
      `mydumper held locks for ${formatDuration(release.heldSeconds)}`,
      release,
    );
  });
  events.on('shipped', (file) => line('debug', 'shipped', `shipped ${file.key}`, file));
  events.on('retried', (retry) => {
    line('info', 'retried', `retrying ${retry.operation}: ${retry.reason}`, retry);
  });
  events.on('dumpFinished', (dump) => {
    const left = formatBytes(dump.leftToShipBytes);
    line(
      'info',
      'dumpFinished',
      `mydumper finished after ${formatDuration(dump.seconds)}, ${left} left`,
      dump,
    );
  });
  events.on('succeeded', (summary) => {
    const { backupId, files, dumpedBytes, storedBytes, seconds } = summary;
    const stored = `${formatBytes(dumpedBytes)} dumped, ${formatBytes(storedBytes)} stored`;
    const size = `${formatCount(files, 'file')}, ${stored}`;
    const message = `backup ${backupId} succeeded: ${size}, ${formatDuration(seconds)}`;
    line('info', 'succeeded', message, summary);
  });
  events.on('failed', (failure) => {
    line(
      'error',
      'failed',
      `backup failed with exit code ${failure.exitCode}: ${failure.reason}`,
      failure,
    );
  });
}

const MYDUMPER_LEVELS = { debug: 'debug', info: 'debug', warning: 'warn', error: 'error' } as const;

function listenToPauses(events: Events, line: Line): void {
  events.on('paused', (pause) => {
    const message = `mydumper paused at ${fill(pause)}: ${pause.reason}`;
    line('info', 'paused', message, { ...pause, stagedPercent: percent(pause) });
  });
  events.on('resumed', (pause) => {
    const after = formatDuration(pause.pausedSeconds);
    const message = `mydumper resumed after ${after} at ${fill(pause)}: ${pause.reason}`;
    line('info', 'resumed', message, { ...pause, stagedPercent: percent(pause) });
  });
}

function listenToSamples(
  events: Events,
  line: Line,
  now: () => number,
  intervalSeconds: number,
): void {
  let last: { sample: Sample; at: number } | undefined;

  events.on('sample', (sample) => {
    const at = now();
    last ??= { sample, at };
    const seconds = at - last.at;
    if (seconds < intervalSeconds) return;
    const dumped = (sample.dumpedBytes - last.sample.dumpedBytes) / seconds;
    const uploaded = (sample.uploadedBytes - last.sample.uploadedBytes) / seconds;
    last = { sample, at };
    const message =
      `dumped ${formatBytes(sample.dumpedBytes)} (${formatRate(dumped)}), ` +
      `uploaded ${formatBytes(sample.uploadedBytes)} (${formatRate(uploaded)}), ` +
      `staged ${fill(sample)}`;
    line('info', 'progress', message, {
      ...sample,
      stagedPercent: percent(sample),
      dumpedBytesPerSecond: Math.round(dumped),
      uploadedBytesPerSecond: Math.round(uploaded),
    });
  });
}

type Staged = { readonly stagedBytes: number; readonly budgetBytes: number };

/** Percent of the budget, to a tenth. */
function percent({ stagedBytes, budgetBytes }: Staged): number | undefined {
  return budgetBytes > 0 ? Math.round((1000 * stagedBytes) / budgetBytes) / 10 : undefined;
}

function fill({ stagedBytes, budgetBytes }: Staged): string {
  const share = budgetBytes > 0 ? ` (${formatPercent(stagedBytes / budgetBytes)})` : '';
  return `${formatBytes(stagedBytes)} of ${formatBytes(budgetBytes)}${share}`;
}

/**
 * Prints why the run did not begin, for a person at a terminal or with a task that stopped at once.
 * It is plain text on standard error, at every log level. Each line of the failure has its own
 * line.
 */
export function logFailure(error: unknown, output: NodeJS.WritableStream = process.stderr): void {
  const lines =
    error instanceof Failure
      ? error.lines
      : [`unexpected failure in this program: ${messageOf(error)}`];
  for (const line of lines) output.write(`${oneLine(line)}\n`);
}
