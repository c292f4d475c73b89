import { createLogUpdate } from 'log-update';
import type { BackupEvents, Events, Sample } from '../events.ts';
import { oneLine, redact } from './redact.ts';
import { renderFailure, renderProgress, renderSummary } from './render-progress.ts';
import { createSmoothedRate } from './smoothed-rate.ts';

/** A faster display would be unreadable. */
const REDRAW_SECONDS = 0.1;
/**
 * For a terminal that reports no size, or 0 as some containers' terminals do. log-update would draw
 * nothing there.
 */
const USUAL_COLUMNS = 80;
const USUAL_ROWS = 24;

/** What is used of a terminal. */
export type Terminal = {
  readonly isTTY: boolean;
  readonly columns: number;
  readonly rows: number;
  readonly write: (text: string) => boolean;
};

export type ProgressOptions = {
  readonly stream: Terminal;
  /** Seconds of a clock that never goes back. */
  readonly now?: () => number;
};

/**
 * Shows a backup on a terminal, in place of the log. It redraws a few lines. Notices, warnings and
 * errors stay above them. At the end come the summary or the reason of the failure.
 */
export function listenAsProgress(events: Events, options: ProgressOptions): void {
  const stream = withSize(options.stream);
  const now = options.now ?? (() => performance.now() / 1000);
  // The cursor stays visible: hiding it needs exit and signal hooks, and signals are main's.
  const draw = createLogUpdate(stream as NodeJS.WriteStream, { showCursor: true });
  const dumpRate = createSmoothedRate();
  const uploadRate = createSmoothedRate();

  let start: { about: BackupEvents['started'][0]; at: number } | undefined;
  let dumpFinished = false;
  let pauseReason: string | undefined;
  let tables: readonly string[] = [];
  let frame = '';
  let drawnAt = Number.NEGATIVE_INFINITY;

  const show = (sample: Sample) => {
    const at = now();
    const rates = {
      dumpRate: dumpRate(sample.dumpedBytes, at),
      uploadRate: uploadRate(sample.uploadedBytes, at),
    };
    if (start === undefined || at - drawnAt < REDRAW_SECONDS) return;
    drawnAt = at;
    const { backupId, location, estimatedBytes } = start.about;
    const elapsedSeconds = at - start.at;
    frame = renderProgress(
      {
        backupId,
        location,
        estimatedBytes,
        elapsedSeconds,
        sample,
        ...rates,
        dumpFinished,
        pauseReason,
        tables,
      },
      stream.columns,
    );
    draw(frame);
  };
  /** Prints what stays, above the lines that are redrawn. */
  const keep = (text: string) => {
    draw.persist(text);
    if (frame !== '') draw(frame);
  };
  const end = (text: string) => {
    events.off('sample', show);
    frame = '';
    draw.persist(text);
    draw.done();
  };

  events.on('started', (about) => {
    start = { about, at: now() };
  });
  events.on('sample', show);
  events.on('paused', ({ reason }) => {
    pauseReason = reason;
  });
  events.on('dumping', (dumping) => {
    tables = dumping.tables;
  });
  events.on('dumpFinished', () => {
    dumpFinished = true;
  });
  events.on('notice', ({ message, detail }) => keep(withDetail(message, detail)));
  events.on('warning', ({ message, detail }) => keep(`warning: ${withDetail(message, detail)}`));
  events.on('mydumper', ({ level, message }) => {
    if (level === 'warning' || level === 'error') keep(`mydumper ${level}: ${oneLine(message)}`);
  });
  events.on('succeeded', (summary) => end(renderSummary(summary)));
  events.on('failed', (failure) => end(renderFailure(failure)));
}

export function withSize(stream: Terminal): Terminal {
  return {
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns || USUAL_COLUMNS;
    },
    get rows() {
      return stream.rows || USUAL_ROWS;
    },
    write: (text) => stream.write(text),
  };
}

function withDetail(
  message: string,
  detail: Readonly<Record<string, unknown>> | undefined,
): string {
  const pairs = Object.entries(detail ?? {}).map(([name, value]) => {
    const printed = redact(name, value);
    const text = typeof printed === 'string' ? printed : `${JSON.stringify(printed, redact)}`;
    return `${name}=${oneLine(text)}`;
  });
  return pairs.length === 0 ? oneLine(message) : `${oneLine(message)} (${pairs.join(', ')})`;
}
