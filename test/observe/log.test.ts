import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { Failure } from '../../app/errors.ts';
import { createEvents, type Events } from '../../app/events.ts';
import type { LogLevel } from '../../app/observe/json-logger.ts';
import { listenAsLog, logFailure } from '../../app/observe/log.ts';
import { MIB, someSample, someStart, someSummary } from './samples.ts';

type Line = Readonly<Record<string, unknown>>;

function listen(level: LogLevel = 'INFO') {
  const output = new PassThrough();
  const clock = { seconds: 1000 };
  const events = createEvents();
  listenAsLog(events, { level, source: 'db1', output, now: () => clock.seconds });
  const text = () => String(output.read() ?? '');
  const lines = (): Line[] =>
    text()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  return { events, clock, lines, text };
}

const budgetBytes = 64 * MIB;

function emitEverything(events: Events): void {
  events.emit('started', someStart);
  events.emit('notice', { message: 'cleared leftovers', detail: { bytes: 5 } });
  events.emit('warning', { message: 'careful' });
  events.emit('mydumper', { level: 'debug', message: 'd' });
  events.emit('mydumper', { level: 'info', message: 'i' });
  events.emit('mydumper', { level: 'warning', message: 'w' });
  events.emit('mydumper', { level: 'error', message: 'e' });
  events.emit('locksReleased', { heldSeconds: 1 });
  events.emit('paused', { reason: 'staging is full', stagedBytes: 60 * MIB, budgetBytes });
  events.emit('resumed', {
    reason: 'room again',
    stagedBytes: 16 * MIB,
    budgetBytes,
    pausedSeconds: 1.5,
  });
  events.emit('shipped', { key: 'a.sql.zst', dumpedBytes: 2, storedBytes: 1 });
  events.emit('retried', { operation: 'UploadPart', key: 'a.sql.zst', reason: 'SlowDown' });
  events.emit('dumpFinished', { seconds: 90, leftToShipBytes: MIB });
  events.emit('sample', someSample);
  events.emit('succeeded', someSummary);
  events.emit('failed', { reason: 'access denied', exitCode: 5, seconds: 3 });
}

const ALL_LEVELS = [
  ['INFO', 'started'],
  ['INFO', 'notice'],
  ['WARN', 'warning'],
  ['DEBUG', 'mydumper'],
  ['DEBUG', 'mydumper'],
  ['WARN', 'mydumper'],
  ['ERROR', 'mydumper'],
  ['INFO', 'locksReleased'],
  ['INFO', 'paused'],
  ['INFO', 'resumed'],
  ['DEBUG', 'shipped'],
  ['INFO', 'retried'],
  ['INFO', 'dumpFinished'],
  ['INFO', 'succeeded'],
  ['ERROR', 'failed'],
] as const;

test.each([
  ['DEBUG', ['DEBUG', 'INFO', 'WARN', 'ERROR']],
  ['INFO', ['INFO', 'WARN', 'ERROR']],
  ['WARN', ['WARN', 'ERROR']],
  ['ERROR', ['ERROR']],
  ['SILENT', []],
] as const)('at %s the events of levels %j are lines, in order', (level, shown) => {
  const { events, lines } = listen(level);
  emitEverything(events);
  expect(lines().map((line) => [line.level, line.event])).toEqual(
    ALL_LEVELS.filter(([of]) => (shown as readonly string[]).includes(of)),
  );
});

test('every line can be filtered by service, source and backup', () => {
  const { events, lines } = listen();
  emitEverything(events);
  for (const line of lines()) {
    expect(line).toMatchObject({
      service: 'mydumper-fargate',
      source: 'db1',
      backupId: someStart.backupId,
      message: expect.stringMatching(/./),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    expect(line).not.toHaveProperty('sampling_rate');
  }
});

test('a pause logs its reason, bytes and percent of the budget', () => {
  const { events, lines } = listen();
  events.emit('paused', { reason: 'staging is full', stagedBytes: 60 * MIB, budgetBytes });
  events.emit('resumed', {
    reason: 'room again',
    stagedBytes: 16 * MIB,
    budgetBytes,
    pausedSeconds: 1.5,
  });
  expect(lines()).toMatchObject([
    {
      message: 'mydumper paused at 60.0 MiB of 64.0 MiB (94 %): staging is full',
      reason: 'staging is full',
      stagedBytes: 60 * MIB,
      budgetBytes,
      stagedPercent: 93.8,
    },
    { reason: 'room again', stagedBytes: 16 * MIB, stagedPercent: 25, pausedSeconds: 1.5 },
  ]);
});

test('samples become one progress line in 30 seconds, with the rates in between', () => {
  const { events, clock, lines } = listen();
  for (let second = 0; second <= 65; second++) {
    events.emit('sample', {
      ...someSample,
      dumpedBytes: second * 2 * MIB,
      uploadedBytes: second * MIB,
    });
    clock.seconds += 1;
  }
  expect(lines()).toMatchObject([
    {
      event: 'progress',
      level: 'INFO',
      dumpedBytes: 60 * MIB,
      dumpedBytesPerSecond: 2 * MIB,
      uploadedBytesPerSecond: MIB,
      stagedPercent: 46.9,
      message:
        'dumped 60.0 MiB (2.0 MiB/s), uploaded 30.0 MiB (1.0 MiB/s), ' +
        'staged 30.0 MiB of 64.0 MiB (47 %)',
    },
    { event: 'progress', dumpedBytes: 120 * MIB, state: 'running' },
  ]);
});

test('success carries the whole summary, failure its exit code and reason', () => {
  const { events, lines } = listen();
  events.emit('succeeded', someSummary);
  events.emit('failed', { reason: 'access denied', exitCode: 5, seconds: 3 });
  const [succeeded, failed] = lines();
  expect(succeeded).toMatchObject(someSummary);
  expect(failed).toMatchObject({
    level: 'ERROR',
    reason: 'access denied',
    exitCode: 5,
    seconds: 3,
  });
});

const SECRET = 'hunter2-correct-horse';

test('a secret in what an event carries is not printed', () => {
  const { events, text } = listen('DEBUG');
  const error = Object.assign(new Error(`connect mysql://root:${SECRET}@db1:3306/`), {
    config: { user: 'root', password: SECRET },
    cause: new Error(SECRET),
  });
  events.emit('warning', {
    message: `password=${SECRET}`,
    detail: { error, nested: { dbPassword: SECRET } },
  });
  const printed = text();
  expect(printed).toContain('[redacted]');
  expect(printed).toContain('mysql://root:[redacted]@db1:3306/');
  expect(printed).not.toContain(SECRET);
});

test('an event with a cycle in its detail, or reserved names, is still one line', () => {
  const { events, lines } = listen();
  const detail: Record<string, unknown> = { level: 'mine', message: 'mine too', bytes: 2n ** 64n };
  detail.self = detail;
  events.emit('notice', { message: 'odd', detail });
  expect(lines()).toMatchObject([
    {
      level: 'INFO',
      message: 'odd',
      detail: { level: 'mine', message: 'mine too', bytes: '18446744073709551616' },
    },
  ]);
});

test('every level goes to standard output, without other lines or the environment', async () => {
  const program = `
    const { createEvents } = await import('./app/events.ts');
    const { listenAsLog } = await import('./app/observe/log.ts');
    const events = createEvents();
    listenAsLog(events, { level: 'DEBUG', source: 'db1' });
    events.emit('shipped', { key: 'a', dumpedBytes: 1, storedBytes: 1 });
    events.emit('notice', { message: 'n' });
    events.emit('warning', { message: 'w' });
    events.emit('failed', { reason: 'r', exitCode: 4, seconds: 1 });`;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    // Powertools reads these by itself; they must neither change the lines nor end the program.
    {
      env: {
        ...process.env,
        PASSWORD: SECRET,
        POWERTOOLS_DEV: 'true',
        AWS_LAMBDA_LOG_LEVEL: 'INFO',
      },
    },
  );
  expect(stderr).toBe('');
  const lines: Line[] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.map((line) => line.level)).toEqual(['INFO', 'WARN', 'ERROR']);
  expect(stdout).not.toContain(SECRET);
});

test('a failure before anything began is plain lines', () => {
  const output = new PassThrough();
  logFailure(
    new Failure('configuration', ['PORT: "x" is wrong', 'THREADS: "\u001b[2J\n0" is wrong']),
    output,
  );
  logFailure(new TypeError('undefined is not a function'), output);
  expect(String(output.read())).toBe(
    'PORT: "x" is wrong\n' +
      'THREADS: " [2J 0" is wrong\n' +
      'unexpected failure in this program: undefined is not a function\n',
  );
});
