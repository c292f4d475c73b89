import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createDumpLog } from '../../app/commands/dump-log.ts';
import { createRunState, createTotals } from '../../app/commands/run-state.ts';
import { createEvents } from '../../app/events.ts';
import { judgeDump } from '../../app/manifest/judge.ts';
import { createLogReader } from '../../app/mydumper/log-reader.ts';
import type { MydumperExit } from '../../app/mydumper/process.ts';

/** The verdict on a recorded log and the exit that followed it. */
function conclude(
  name: string,
  exit: MydumperExit,
  ignoredErrors: readonly number[] = [],
  further = '',
) {
  const text = readFileSync(
    new URL(`../fixtures/mydumper-logs/${name}.txt`, import.meta.url),
    'utf8',
  );
  const run = createRunState(1, new AbortController().signal, createEvents(), createTotals());
  const log = createDumpLog(run, createEvents(), ['shop', 'crm'], ignoredErrors, () => {});
  const read = createLogReader();
  for (const line of `${text}${further}`.split('\n'))
    for (const event of read(line)) log.onEvent(event);
  const { errors, lastLines } = log;
  const metadata = { finished: true, binlog: undefined };
  const verdict = judgeDump({
    exit,
    errors,
    lastComplaint: log.lastComplaint(),
    lastLines,
    metadata,
  });
  return { verdict, errors, lastLines };
}

const ended = (code: number): MydumperExit => ({ code, signal: null });

test('1.x without a position fails for the line that reports it, not for the last line', () => {
  const { verdict, errors, lastLines } = conclude('1.x-without-position', ended(1));
  expect(lastLines.at(-1)).toMatch(/^Finished dump at/);
  expect(errors).toEqual([]);
  expect(verdict).toEqual({
    good: false,
    fault: expect.stringMatching(
      /^mydumper ended with exit code 1: Couldn't get master position - ERROR 1227: .*REPLICATION CLIENT/,
    ),
  });
});

test('1.x with the flag to ignore the missing position makes a good dump', () => {
  const { verdict, errors } = conclude('1.x-position-ignored', ended(0), [1227]);
  expect(errors).toEqual([]);
  expect(verdict).toMatchObject({ good: true });
});

test('1.x that ignores the same error elsewhere has failed, regardless of its exit code', () => {
  const refusal = 'ERROR 1227: Access denied; you need the TRIGGER privilege(s) for this operation';
  for (const line of [
    '** (mydumper:1234): WARNING **: 12:00:00.000: ' +
      `Error dumping triggers (shop.orders) - ${refusal}`,
    `** Message: 12:00:00.000: Failed to detect generated fields - ${refusal}`,
  ]) {
    const { verdict } = conclude('1.x-position-ignored', ended(0), [1227], `${line}\n`);
    expect(verdict).toMatchObject({ good: false, fault: expect.stringContaining(refusal) });
    expect(conclude('1.x-position-ignored', ended(0), [], `${line}\n`).errors).toEqual([]);
  }
});

test('1.x that crashes without RELOAD names the lock that it did not get', () => {
  const exit = { code: null, signal: 'SIGSEGV' } as const;
  expect(conclude('1.x-ftwrl-without-reload', exit).verdict).toMatchObject({
    fault: expect.stringMatching(
      /^mydumper was killed by SIGSEGV: Flush tables failed.*ERROR 1227.*RELOAD/,
    ),
  });
});

test.each([
  ['1.x-lock-all-without-lock-tables', /Lock all tables fail: Access denied for user/],
  ['0.10-ftwrl-without-reload', /Couldn't acquire global lock, snapshots will not be consistent/],
])('%s: the first error is the reason', (name, reason) => {
  const { verdict, errors } = conclude(name, ended(1));
  expect(errors[0]).toMatch(reason);
  expect(verdict).toMatchObject({ fault: expect.stringMatching(reason) });
});
