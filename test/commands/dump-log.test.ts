import { expect, test } from 'vitest';
import { createDumpLog, withMydumperError } from '../../app/commands/dump-log.ts';
import { createRunState, createTotals } from '../../app/commands/run-state.ts';
import { Failure } from '../../app/errors.ts';
import { createEvents } from '../../app/events.ts';
import { createLogReader } from '../../app/mydumper/log-reader.ts';

const NO_SPACE = "Couldn't write data to a file: No space left on device";

test('the error of mydumper is added to a failure of the dump that was noticed earlier', () => {
  const run = createRunState(1, new AbortController().signal, createEvents(), createTotals());
  const vanished = new Failure('dump', 'a.b.sql vanished from the staging directory', {
    retryable: true,
    retryAfterSeconds: 3,
  });
  run.fail(vanished);
  const failure = run.firstCause(withMydumperError(vanished, [NO_SPACE, 'and more']));
  expect(failure.message).toBe(
    `a.b.sql vanished from the staging directory; mydumper reported an error: ${NO_SPACE}`,
  );
  expect(failure).toMatchObject({ kind: 'dump', retryable: true, retryAfterSeconds: 3 });
});

test.each([
  ['nothing was said', new Failure('dump', 'mydumper hangs'), []],
  [
    'it is the cause already',
    new Failure('dump', `mydumper reported an error: ${NO_SPACE}`),
    [NO_SPACE],
  ],
  ['the cause is another one', new Failure('interrupted', 'interrupted by SIGINT'), [NO_SPACE]],
])('a failure stays as it is where %s', (_title, cause, errors) => {
  expect(withMydumperError(cause, errors)).toBe(cause);
});

test('after a deadlock the lost lock is the failure of 1.x, and the dump is retried', () => {
  const run = createRunState(1, new AbortController().signal, createEvents(), createTotals());
  const log = createDumpLog(run, createEvents(), ['shop'], [], () => {});
  const read = createLogReader();
  const deadlock =
    'Lock Table failed - ERROR 1213: ' +
    'Deadlock found when trying to get lock; try restarting transaction';
  for (const line of [
    `** (mydumper:1): WARNING **: 14:26:01.000: ${deadlock}`,
    "(mydumper:1): GLib-CRITICAL **: 14:26:01.000: g_strsplit: assertion 'string != NULL' failed",
  ])
    for (const event of read(line)) log.onEvent(event);
  const cause = run.firstCause(undefined);
  expect(cause.message).toBe(`mydumper reported an error: ${deadlock}`);
  expect(cause).toMatchObject({ kind: 'dump', retryable: true });
});
