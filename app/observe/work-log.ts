import type { Work, WorkSample } from '../work-events.ts';
import { formatBytes, formatDuration, formatPercent, formatRate } from './format.ts';
import { createJsonLogger, type LogLevel } from './json-logger.ts';

/** How often a `progress` line is written. */
const PROGRESS_INTERVAL_SECONDS = 30;

export type WorkLogOptions = {
  readonly level: LogLevel;
  readonly source: string;
  readonly command: string;
  readonly output: NodeJS.WritableStream;
};

/**
 * Writes the events of restore and verify as JSON lines, in the shape of a backup's log. `now`
 * returns seconds of a monotonic clock.
 */
export function listenAsWorkLog(
  work: Work,
  { level, source, command, output }: WorkLogOptions,
  now: () => number = () => performance.now() / 1000,
): void {
  const logger = createJsonLogger(level, source, output);
  logger.appendKeys({ command });
  let last: { sample: WorkSample; at: number } | undefined;

  work.on('started', ({ message, detail }) =>
    logger.info(message, { event: 'started', ...detail }),
  );
  work.on('notice', ({ message, detail }) => logger.info(message, { event: 'notice', detail }));
  work.on('warning', ({ message, detail }) => logger.warn(message, { event: 'warning', detail }));
  work.on('retried', (retry) => {
    logger.info(`retrying ${retry.operation}: ${retry.reason}`, {
      event: 'retried',
      ...retry,
    });
  });
  work.on('fault', (fault) =>
    logger.error(`${fault.key}: ${fault.reason}`, { event: 'fault', ...fault }),
  );
  work.on('sample', (sample) => {
    const at = now();
    last ??= { sample, at };
    const seconds = at - last.at;
    if (seconds < PROGRESS_INTERVAL_SECONDS) return;
    const bytesPerSecond = (sample.doneBytes - last.sample.doneBytes) / seconds;
    last = { sample, at };
    const share =
      sample.totalBytes > 0 ? ` (${formatPercent(sample.doneBytes / sample.totalBytes)})` : '';
    const done = `${formatBytes(sample.doneBytes)} of ${formatBytes(sample.totalBytes)}`;
    const message = `${sample.stage}: ${done}${share}, ${formatRate(bytesPerSecond)}`;
    logger.info(message, {
      event: 'progress',
      ...sample,
      bytesPerSecond: Math.round(bytesPerSecond),
    });
  });
  work.on('succeeded', ({ lines, detail }) => {
    logger.info(lines.join('; '), { event: 'succeeded', ...detail });
  });
  work.on('failed', ({ lines, exitCode, seconds }) => {
    const reason = lines.join('; ');
    const after = formatDuration(seconds);
    const message = `${command} failed after ${after} with exit code ${exitCode}: ${reason}`;
    logger.error(message, { event: 'failed', reason, exitCode, seconds });
  });
}
