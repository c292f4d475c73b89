import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createEvents } from '../../app/events.ts';
import { listenAsProgress } from '../../app/observe/progress.ts';
import {
  doneShare,
  type ProgressState,
  renderFailure,
  renderProgress,
  renderSummary,
} from '../../app/observe/render-progress.ts';
import { MIB, someSample, someStart, someSummary } from './samples.ts';
import { createScreen } from './screen.ts';

const someState: ProgressState = {
  backupId: '20261122T030000Z',
  location: 's3://backups/db1/20261122T030000Z/',
  estimatedBytes: 200 * MIB,
  elapsedSeconds: 62,
  sample: someSample,
  dumpRate: 2 * MIB,
  uploadRate: MIB / 2,
  dumpFinished: false,
  pauseReason: undefined,
  tables: [],
};

test('a running backup on a usual terminal', () => {
  expect(renderProgress(someState, 80).split('\n')).toEqual([
    'backup 20261122T030000Z  to s3://backups/db1/20261122T030000Z/',
    '[█████████████░░░░░░░░░░░░░]  50 %  running 1 min 2 s  about 50 s left',
    'dumped 100.0 MiB 2.0 MiB/s  uploaded 20.0 MiB 512.0 KiB/s  14 files',
    'staged 30.0 MiB of 64.0 MiB  [██████░░░░░░░]  47 %  peak 60.0 MiB',
    'running  2 pauses, 1.5 s',
  ]);
});

test('a narrow terminal shows less, not more lines', () => {
  expect(renderProgress(someState, 24).split('\n')).toEqual([
    'backup 20261122T030000Z',
    '[████░░░░]  50 %',
    'dumped 100.0 MiB 2.0 Mi…',
    'staged 30.0 MiB of 64.0…',
    'running  2 pauses, 1.5 s',
  ]);
});

test("the current tables follow mydumper's state, as many as fit", () => {
  const tables = ['shop.orders', 'shop.two\nlines', 'blog.posts'];
  const last = (state: Partial<ProgressState>, columns: number) =>
    renderProgress({ ...someState, tables, ...state }, columns)
      .split('\n')
      .at(-1);
  expect(last({}, 80)).toBe('running  2 pauses, 1.5 s  shop.orders  shop.two lines  blog.posts');
  expect(last({}, 40)).toBe('running  2 pauses, 1.5 s  shop.orders');
  expect(last({ dumpFinished: true }, 80)).not.toContain('shop.orders');
});

test('no line is wider than the terminal, in any state', () => {
  const bytes = fc.nat({ max: 2 ** 50 });
  const state = fc.record({
    estimatedBytes: bytes,
    dumpedBytes: bytes,
    stagedBytes: bytes,
    budgetBytes: bytes,
    dumpRate: bytes,
    dumpFinished: fc.boolean(),
    pauseReason: fc.option(fc.string(), { nil: undefined }),
    state: fc.constantFrom(
      'starting' as const,
      'running' as const,
      'paused' as const,
      'finishing' as const,
    ),
  });
  fc.assert(
    fc.property(state, fc.integer({ min: 1, max: 200 }), (drawn, columns) => {
      const { dumpedBytes, stagedBytes, budgetBytes, state, ...rest } = drawn;
      const sample = { ...someSample, dumpedBytes, stagedBytes, budgetBytes, state };
      const lines = renderProgress({ ...someState, ...rest, sample }, columns).split('\n');
      expect(lines).toHaveLength(5);
      for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns);
      expect(lines[1]).not.toContain('100 %');
      expect(lines.join()).not.toMatch(/NaN|Infinity|undefined/);
    }),
  );
});

const shareOf = (dumped: number, estimated: number, more: Partial<ProgressState> = {}) =>
  doneShare({
    ...someState,
    sample: { ...someSample, dumpedBytes: dumped },
    estimatedBytes: estimated,
    ...more,
  });

test('the share is never above 99 % before the end', () => {
  expect(shareOf(199 * MIB, 200 * MIB)).toBe(0.99);
  expect(shareOf(200 * MIB, 200 * MIB)).toBe(0.99);
});

test.each([
  ['missing', 0],
  ['too low', 50 * MIB],
])(
  'with an estimate that is %s there is no percentage and no time left',
  (_case, estimatedBytes) => {
    expect(shareOf(100 * MIB, estimatedBytes)).toBeUndefined();
    const [, line] = renderProgress({ ...someState, estimatedBytes }, 80).split('\n');
    expect(line).toBe('size unknown  running 1 min 2 s');
  },
);

test('once mydumper is done, what is staged is what is left', () => {
  expect(shareOf(300 * MIB, 50 * MIB, { dumpFinished: true })).toBeCloseTo(0.9);
  const finishing = renderProgress(
    { ...someState, estimatedBytes: 50 * MIB, dumpFinished: true },
    80,
  );
  expect(finishing).toContain('70 %');
  expect(finishing).toContain('finishing');
  expect(finishing).not.toContain('left\n');
});

test('a pause shows its reason', () => {
  const sample = { ...someSample, state: 'paused' as const };
  const paused = renderProgress({ ...someState, sample, pauseReason: 'waiting for\nuploads' }, 80);
  expect(paused).toContain('paused: waiting for uploads  2 pauses');
});

test('the summary shows location, size, duration and peak', () => {
  expect(renderSummary(someSummary).split('\n')).toEqual([
    'backup 20261122T030000Z is complete: s3://backups/db1/20261122T030000Z/',
    '  20 files, 200.0 MiB dumped, 40.0 MiB stored',
    '  took 1 min 40 s: dumped at 2.0 MiB/s, uploaded at 409.6 KiB/s',
    '  mydumper: 3 pauses of 10 s in all (10 %); uploads: 1 retry',
    '  staging held at most 60.0 MiB of 64.0 MiB (94 %)',
  ]);
});

test('a failure is one line', () => {
  expect(renderFailure({ reason: 'mydumper said:\nno\u001b[2J', exitCode: 4, seconds: 3 })).toBe(
    'backup failed after 3.0 s (exit code 4): mydumper said: no [2J',
  );
});

function show(size = { columns: 80, rows: 24 }) {
  const screen = createScreen();
  const stream = Object.assign(new PassThrough(), { ...size, isTTY: true });
  const clock = { seconds: 100 };
  const events = createEvents();
  listenAsProgress(events, { stream, now: () => clock.seconds });
  const lines = () => {
    screen.write(String(stream.read() ?? ''));
    return screen.lines();
  };
  return { events, clock, stream, lines };
}

test('samples and pauses redraw the same lines; warnings stay above them', () => {
  const { events, clock, lines } = show();
  events.emit('started', someStart);
  for (let tick = 0; tick < 100; tick++) {
    clock.seconds += 0.25;
    events.emit('paused', { reason: 'staging is full', stagedBytes: 1, budgetBytes: 2 });
    events.emit('sample', {
      ...someSample,
      dumpedBytes: tick * MIB,
      state: tick % 2 ? 'paused' : 'running',
    });
    if (tick === 20)
      events.emit('warning', {
        message: 'net_write_timeout is 3',
        detail: { password: 'x', bytes: 5 },
      });
    if (tick === 40) events.emit('mydumper', { level: 'error', message: 'Could not read data' });
    if (tick === 60) events.emit('mydumper', { level: 'info', message: 'Thread 1 working' });
  }
  const screen = lines();
  expect(screen).toHaveLength(7);
  expect(screen[0]).toBe('warning: net_write_timeout is 3 (password=[redacted], bytes=5)');
  expect(screen[1]).toBe('mydumper error: Could not read data');
  expect(screen[4]).toMatch(/^dumped 99\.0 MiB 4\.0 MiB\/s/);
  expect(screen[6]).toMatch(/^paused: staging is full/);
});

test('a terminal that reports no size gets the display of a usual one', () => {
  const { events, lines } = show({ columns: 0, rows: 0 });
  events.emit('warning', { message: 'first' });
  events.emit('started', someStart);
  events.emit('sample', someSample);
  expect(lines()[0]).toBe('warning: first');
  expect(lines()).toHaveLength(6);
});

test('more samples than anyone can read are not drawn', () => {
  const { events, clock, stream } = show();
  events.emit('started', someStart);
  events.emit('sample', someSample);
  stream.read();
  clock.seconds += 0.01;
  events.emit('sample', { ...someSample, dumpedBytes: 101 * MIB });
  expect(stream.read()).toBeNull();
});

test('the end leaves the warnings and the summary, and later warnings come after it', () => {
  const { events, lines } = show();
  events.emit('started', someStart);
  events.emit('sample', someSample);
  events.emit('warning', { message: 'first' });
  events.emit('succeeded', someSummary);
  events.emit('sample', someSample);
  events.emit('warning', { message: 'metrics could not be sent' });
  expect(lines()).toEqual([
    'warning: first',
    ...renderSummary(someSummary).split('\n'),
    'warning: metrics could not be sent',
  ]);
});

test('a failure before the start is its reason and nothing else', () => {
  const { events, lines } = show();
  events.emit('sample', someSample);
  events.emit('failed', { reason: 'another run is active', exitCode: 3, seconds: 0.2 });
  expect(lines()).toEqual(['backup failed after 0.2 s (exit code 3): another run is active']);
});
