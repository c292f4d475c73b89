import { expect, test } from 'vitest';
import { inItsOwnWords } from '../../app/commands/dump-log.ts';
import { createRunState, createTotals } from '../../app/commands/run-state.ts';
import { Failure } from '../../app/errors.ts';
import { createEvents } from '../../app/events.ts';

const NO_SPACE = "Couldn't write data to a file: No space left on device";

test('what mydumper said is added to a failure of the dump that was noticed before it was read', () => {
  const run = createRunState(1, new AbortController().signal, createEvents(), createTotals());
  const vanished = new Failure('dump', 'a.b.sql vanished from the staging directory', {
    worthAnotherRun: true,
    waitSeconds: 3,
  });
  run.fail(vanished);
  const told = run.firstCause(inItsOwnWords(vanished, [NO_SPACE, 'and more']));
  expect(told.message).toBe(
    `a.b.sql vanished from the staging directory; mydumper reported an error: ${NO_SPACE}`,
  );
  expect(told).toMatchObject({ kind: 'dump', worthAnotherRun: true, waitSeconds: 3 });
});

test.each([
  ['nothing was said', new Failure('dump', 'mydumper hangs'), []],
  ['it is the cause already', new Failure('dump', `mydumper reported an error: ${NO_SPACE}`), [NO_SPACE]],
  ['the cause is another one', new Failure('interrupted', 'interrupted by SIGINT'), [NO_SPACE]],
])('a failure stays as it is where %s', (_title, cause, errors) => {
  expect(inItsOwnWords(cause, errors)).toBe(cause);
});
