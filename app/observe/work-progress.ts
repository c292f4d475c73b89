import { createLogUpdate } from 'log-update';
import type { Work, WorkSample } from '../work-events.ts';
import { formatBytes, formatDuration, formatPercent, formatRate } from './format.ts';
import { type Terminal, withSize } from './progress.ts';
import { oneLine } from './redact.ts';
import { createSmoothedRate } from './smoothed-rate.ts';

/** A faster display would be unreadable. */
const REDRAW_SECONDS = 0.1;

/** The display as lines; `rate` in bytes per second. Pure. */
export function renderWork(sample: WorkSample, rate: number, columns: number): string {
  const { stage, doneBytes, totalBytes } = sample;
  const share = totalBytes > 0 ? Math.min(1, doneBytes / totalBytes) : 0;
  const left = rate > 0 ? `  about ${formatDuration((totalBytes - doneBytes) / rate)} left` : '';
  const lines = [
    stage,
    `${formatPercent(share)}  ${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}  ` +
      `${formatRate(rate)}${left}`,
  ];
  return lines.map((line) => [...line].slice(0, columns).join('')).join('\n');
}

/**
 * Shows a restore or a verification on a terminal, in place of the log. `now` returns seconds of a
 * monotonic clock.
 */
export function listenAsWorkProgress(
  work: Work,
  terminal: Terminal,
  now: () => number = () => performance.now() / 1000,
): void {
  const stream = withSize(terminal);
  const draw = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true });
  const rateOf = createSmoothedRate();
  let frame = '';
  let drawnAt = Number.NEGATIVE_INFINITY;
  const keep = (text: string) => {
    draw.persist(text);
    if (frame !== '') draw(frame);
  };
  const end = (lines: readonly string[]) => {
    work.off('sample', show);
    draw.persist(lines.join('\n'));
    draw.done();
  };
  const show = (sample: WorkSample) => {
    const at = now();
    const rate = rateOf(sample.doneBytes, at);
    if (at - drawnAt < REDRAW_SECONDS) return;
    drawnAt = at;
    frame = renderWork(sample, rate, stream.columns);
    draw(frame);
  };
  work.on('started', ({ message }) => keep(oneLine(message)));
  work.on('notice', ({ message }) => keep(oneLine(message)));
  work.on('warning', ({ message }) => keep(`warning: ${oneLine(message)}`));
  work.on('fault', ({ key, reason }) => keep(`fault: ${oneLine(`${key}: ${reason}`)}`));
  work.on('sample', show);
  work.on('succeeded', ({ lines }) => end(lines));
  work.on('failed', ({ lines, exitCode, seconds }) => {
    end([
      `failed after ${formatDuration(seconds)} (exit code ${exitCode}):`,
      ...lines.map((line) => `  ${oneLine(line)}`),
    ]);
  });
}
