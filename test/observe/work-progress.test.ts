import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { listenAsWorkLog } from '../../app/observe/work-log.ts';
import { listenAsWorkProgress, renderWork } from '../../app/observe/work-progress.ts';
import { createWork, type WorkSample } from '../../app/work-events.ts';
import { MIB } from './samples.ts';
import { createScreen } from './screen.ts';

const sampleAt = (doneMiB: number, more: Partial<WorkSample> = {}): WorkSample => ({
  stage: 'loading rows',
  doneBytes: doneMiB * MIB,
  totalBytes: 200 * MIB,
  ...more,
});

test.each([
  ['at the beginning there is no rate to tell the rest by', 0, 0, '0 %  0 B of 200.0 MiB  0 B/s'],
  [
    'in the middle rate and time left',
    50,
    2,
    '25 %  50.0 MiB of 200.0 MiB  2.0 MiB/s  about 1 min 15 s left',
  ],
  ['when nothing moves no time is promised', 50, 0, '25 %  50.0 MiB of 200.0 MiB  0 B/s'],
  [
    'at the end nothing is left',
    200,
    2,
    '100 %  200.0 MiB of 200.0 MiB  2.0 MiB/s  about 0.0 s left',
  ],
] as const)('%s', (_case, done, rateMiB, line) => {
  expect(renderWork(sampleAt(done), rateMiB * MIB, 80).split('\n')).toEqual(['loading rows', line]);
});

test('a narrow terminal cuts lines', () => {
  expect(renderWork(sampleAt(50), 2 * MIB, 20).split('\n')).toEqual([
    'loading rows',
    '25 %  50.0 MiB of 20',
  ]);
});

test('no line is wider than the terminal, in any state', () => {
  const bytes = fc.nat({ max: 2 ** 50 });
  fc.assert(
    fc.property(
      bytes,
      bytes,
      bytes,
      fc.integer({ min: 1, max: 200 }),
      (doneBytes, totalBytes, rate, columns) => {
        const text = renderWork({ stage: 'größer', doneBytes, totalBytes }, rate, columns);
        expect(text.split('\n')).toHaveLength(2);
        for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(columns);
        expect(text).not.toMatch(/NaN|Infinity|undefined|-\d/);
      },
    ),
  );
});

test('a terminal redraws the same lines, keeps notices above, and ends with the result', () => {
  const screen = createScreen();
  const stream = Object.assign(new PassThrough(), { columns: 80, rows: 24, isTTY: true });
  const clock = { seconds: 100 };
  const work = createWork();
  listenAsWorkProgress(work, stream, () => clock.seconds);
  const lines = () => {
    screen.write(String(stream.read() ?? ''));
    return screen.lines();
  };
  work.emit('started', { message: 'restoring s3://b/x/ into db:3306' });
  for (let tick = 0; tick <= 40; tick += 1) {
    clock.seconds += 0.25;
    work.emit('sample', sampleAt(tick));
    if (tick === 10) work.emit('warning', { message: 'event_scheduler\nis ON' });
  }
  expect(lines()).toEqual([
    'restoring s3://b/x/ into db:3306',
    'warning: event_scheduler is ON',
    'loading rows',
    '20 %  40.0 MiB of 200.0 MiB  4.0 MiB/s  about 40 s left',
  ]);
  clock.seconds += 0.01;
  work.emit('sample', sampleAt(41));
  expect(stream.read()).toBeNull();
  work.emit('failed', { lines: ['the server\nis gone'], exitCode: 8, seconds: 12 });
  work.emit('sample', sampleAt(42));
  expect(lines()).toEqual([
    'restoring s3://b/x/ into db:3306',
    'warning: event_scheduler is ON',
    'failed after 12 s (exit code 8):',
    '  the server is gone',
  ]);
});

test('without a terminal a line is logged every half minute, with share and rate', () => {
  const output = new PassThrough();
  const clock = { seconds: 1000 };
  const work = createWork();
  const options = { level: 'INFO', source: 'db1', command: 'restore', output } as const;
  listenAsWorkLog(work, options, () => clock.seconds);
  for (let second = 0; second <= 65; second += 1) {
    work.emit('sample', sampleAt(second));
    clock.seconds += 1;
  }
  work.emit('sample', sampleAt(66, { totalBytes: 0 }));
  const printed = String(output.read()).trim().split('\n');
  const logged = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(logged.map(({ message }) => message)).toEqual([
    'loading rows: 30.0 MiB of 200.0 MiB (15 %), 1.0 MiB/s',
    'loading rows: 60.0 MiB of 200.0 MiB (30 %), 1.0 MiB/s',
  ]);
  expect(logged[0]).toMatchObject({ event: 'progress', command: 'restore', bytesPerSecond: MIB });
  expect(printed.join()).not.toContain('\u001b');
});
