import { afterEach, expect, test } from 'vitest';
import { readProcess } from '../../app/staging/process-files.ts';
import { killStarted, start } from './scripted-mydumper.ts';

afterEach(killStarted);

test('output becomes events, from both streams, also an unfinished last line', async () => {
  const { mydumper, events, messages } = await start(
    `echo '** Message: 08:29:00.123: Finished dump at: 2026-11-24 08:29:00' >&2
     echo '** (mydumper:7): CRITICAL **: 08:29:00.123: Could not read data' >&2
     printf '** (mydumper:7): WARNING **: 08:29:00.124: last on stderr' >&2
     printf 'first\\r\\n\\nlast on stdout'`,
  );
  await mydumper.exited;
  expect(events).toContainEqual({ kind: 'dumpFinished' });
  expect(events).toContainEqual({ kind: 'error', message: 'Could not read data' });
  expect(events).toContainEqual({ kind: 'warning', message: 'last on stderr' });
  expect(messages().filter((message) => /^first|stdout/.test(message))).toEqual([
    'first',
    'last on stdout',
  ]);
  expect(messages()).not.toContain('');
});

test('lines with letters of any language are read whole, and an endless line is cut', async () => {
  const { mydumper, messages } = await start(
    `head -c 3000000 /dev/zero | tr '\\0' x; echo; printf 'B\\303'; sleep 0.05; ` +
      `printf '\\274cher \\360\\237\\220\\254\\n'`,
  );
  await mydumper.exited;
  expect(messages().map((message) => message.length)).toEqual([65_536, 9]);
  expect(messages()[0]).toBe('x'.repeat(65_536));
  expect(messages()[1]).toBe('Bücher 🐬');
});

test('all output has been read when mydumper is reported as ended', async () => {
  const { mydumper, messages } = await start('seq 1 20000; seq 1 20000 >&2');
  await mydumper.exited;
  expect(messages()).toHaveLength(40_000);
});

test('output is read while mydumper runs, so that a full pipe blocks nothing', async () => {
  const { mydumper, said } = await start('seq 1 100000; echo ready; exec sleep 1000');
  await said('ready');
  expect(readProcess(mydumper.pid)?.state).toBe('S');
});
