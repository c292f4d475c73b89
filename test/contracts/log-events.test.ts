import type { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { type BackupEvents, createEvents, type Sample } from '../../app/events.ts';
import { listenAsLog } from '../../app/observe/log.ts';
import { listenAsWorkLog } from '../../app/observe/work-log.ts';
import { createWork, type WorkEvents, type WorkSample } from '../../app/work-events.ts';
import { someSample, someStart, someSummary } from '../observe/samples.ts';
import { lineShape } from './shape.ts';

// A contract: alarms, dashboards and saved queries filter by these names and fields.
// Change one on purpose only, together with the runbook and the changelog.
//
// Typecheck fails when an event, a field or a level has no sample here.
// Which level shows which event: test/observe/log.test.ts.

/**
 * Every event with a sample of all its fields, optional ones too, and then with further samples.
 */
type Samples<Events extends Record<keyof Events, [unknown]>> = {
  readonly [Name in keyof Events]: readonly [Required<Events[Name][0]>, ...Events[Name][0][]];
};
type OfEach<Values extends string> = Readonly<Record<Values, Values>>;

const mydumperLevels: OfEach<BackupEvents['mydumper'][0]['level']> = {
  debug: 'debug',
  info: 'info',
  warning: 'warning',
  error: 'error',
};
const sample: Required<Sample> = someSample;
const workSample: Required<WorkSample> = {
  stage: 'loading rows',
  doneBytes: 5,
  totalBytes: 10,
};
const retried = { operation: 'UploadPart', key: 'a.sql.zst', reason: 'SlowDown' };

const backupSamples = {
  started: [someStart],
  notice: [{ message: 'n', detail: { bytes: 5 } }, { message: 'n' }],
  warning: [{ message: 'w', detail: { bytes: 5 } }, { message: 'w' }],
  mydumper: [
    { level: 'debug', message: 'm' },
    ...Object.values(mydumperLevels).map((level) => ({ level, message: 'm' })),
  ],
  // The display uses it; the log holds mydumper's own lines instead.
  dumping: [{ tables: ['shop.orders'] }],
  locksReleased: [{ heldSeconds: 1 }],
  paused: [{ reason: 'staging is full', stagedBytes: 60, budgetBytes: 64 }],
  resumed: [{ reason: 'room again', stagedBytes: 16, budgetBytes: 64, pausedSeconds: 1.5 }],
  shipped: [{ key: 'a.sql.zst', dumpedBytes: 2, storedBytes: 1 }],
  retried: [retried],
  dumpFinished: [{ seconds: 90, leftToShipBytes: 5 }],
  // The log shows a sample only when an interval has passed since the previous one.
  sample: [sample, sample],
  succeeded: [someSummary],
  failed: [{ reason: 'access denied', exitCode: 5, seconds: 3 }],
} satisfies Samples<BackupEvents>;

const workSamples = {
  started: [{ message: 's', detail: { location: 's3://b/' } }, { message: 's' }],
  notice: [{ message: 'n', detail: { bytes: 5 } }, { message: 'n' }],
  warning: [{ message: 'w', detail: { bytes: 5 } }, { message: 'w' }],
  retried: [retried],
  sample: [workSample, workSample],
  fault: [{ key: 'a.sql.zst', reason: 'is missing' }],
  succeeded: [{ lines: ['done', '1 file'], detail: { seconds: 1 } }, { lines: ['done'] }],
  failed: [{ lines: ['bad', 'worse'], exitCode: 7, seconds: 3 }],
} satisfies Samples<WorkEvents>;

type Listen = (output: PassThrough, now: () => number) => unknown;

/** The distinct shapes of the lines that each event's samples become, by the event emitted. */
function shapesOf(samples: object, listen: Listen): Record<string, unknown[]> {
  const output = new PassThrough();
  let seconds = 0;
  const events = listen(output, () => seconds) as EventEmitter;
  const shapes: Record<string, unknown[]> = {};
  for (const [name, all] of Object.entries(samples) as [string, unknown[]][]) {
    for (const one of all) {
      events.emit(name, one);
      seconds += 3600;
    }
    const lines = String(output.read() ?? '')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.stringify(lineShape(JSON.parse(line))));
    shapes[name] = [...new Set(lines)].map((line) => JSON.parse(line));
  }
  return shapes;
}

const backupLog: Listen = (output, now) => {
  const events = createEvents();
  listenAsLog(events, { level: 'DEBUG', source: 'db1', output, now });
  return events;
};
const workLog: Listen = (output, now) => {
  const work = createWork();
  listenAsWorkLog(work, { level: 'DEBUG', source: 'db1', command: 'verify', output }, now);
  return work;
};

test('log lines of a backup: every event, its level and its fields', () => {
  expect(shapesOf(backupSamples, backupLog)).toMatchSnapshot();
});

test('log lines of a backup before it has an id: a warning and the failure', () => {
  const { warning, failed } = backupSamples;
  expect(shapesOf({ warning, failed }, backupLog)).toMatchSnapshot();
});

test('log lines of restore and verify: every event, its level and its fields', () => {
  expect(shapesOf(workSamples, workLog)).toMatchSnapshot();
});
