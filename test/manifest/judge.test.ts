import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type DumpEvidence, judgeDump } from '../../app/manifest/judge.ts';

const metadata = { finished: true, binlog: undefined };
const GOOD: DumpEvidence = {
  exit: { code: 0, signal: null },
  errors: [],
  lastComplaint: undefined,
  lastLines: ['** Message: Finished dump'],
  metadata,
};

test('exit code 0, no error and finished metadata make a good dump', () => {
  expect(judgeDump(GOOD)).toEqual({ good: true, metadata });
  expect(judgeDump({ ...GOOD, lastLines: [] })).toEqual({ good: true, metadata });
});

test.each<readonly [string, Partial<DumpEvidence>, string]>([
  [
    'an exit code, with the first error',
    { exit: { code: 1, signal: null }, errors: ['Could not read `t`', 'another'] },
    'mydumper ended with exit code 1: Could not read `t`',
  ],
  [
    'an exit code without an error, with the last line',
    { exit: { code: 133, signal: null }, lastLines: ['first', 'directory is not empty'] },
    'mydumper ended with exit code 133: directory is not empty',
  ],
  [
    'an exit code without an error, with the last warning that reports one',
    {
      exit: { code: 1, signal: null },
      lastComplaint: "Couldn't get master position - ERROR 1227: Access denied",
      lastLines: ['Main connection closed', 'Finished dump'],
    },
    "mydumper ended with exit code 1: Couldn't get master position - ERROR 1227: Access denied",
  ],
  [
    'an exit code without output',
    { exit: { code: 2, signal: null }, lastLines: [] },
    'mydumper ended with exit code 2',
  ],
  [
    'a signal',
    { exit: { code: null, signal: 'SIGKILL' }, lastLines: [] },
    'mydumper was killed by SIGKILL',
  ],
  [
    'a signal, with the first error',
    { exit: { code: null, signal: 'SIGSEGV' }, errors: ['lost connection'] },
    'mydumper was killed by SIGSEGV: lost connection',
  ],
  [
    'an error logged with exit code 0',
    { errors: ['Could not read data from `shop`.`t`', 'another'] },
    'mydumper ended with exit code 0 but logged an error: Could not read data from `shop`.`t`',
  ],
  [
    'no metadata',
    { metadata: undefined },
    'mydumper ended with exit code 0 but left no metadata file',
  ],
  [
    'metadata without its end',
    { metadata: { finished: false, binlog: undefined } },
    'mydumper ended with exit code 0 but its metadata reports no finished dump',
  ],
])('%s makes a bad one', (_what, evidence, fault) => {
  expect(judgeDump({ ...GOOD, ...evidence })).toEqual({ good: false, fault });
});

test('a dump is good only with all of the evidence', () => {
  const lines = fc.array(fc.string(), { maxLength: 3 });
  const evidence = fc.record<DumpEvidence>({
    exit: fc.oneof(
      fc.record({ code: fc.constantFrom(0, 1, 2, 133), signal: fc.constant(null) }),
      fc.record({
        code: fc.constant(null),
        signal: fc.constantFrom<NodeJS.Signals>('SIGKILL', 'SIGTERM'),
      }),
    ),
    errors: lines,
    lastComplaint: fc.option(fc.string(), { nil: undefined }),
    lastLines: lines,
    metadata: fc.option(fc.record({ finished: fc.boolean(), binlog: fc.constant(undefined) }), {
      nil: undefined,
    }),
  });
  fc.assert(
    fc.property(evidence, (each) => {
      const { exit, errors } = each;
      const isGood = exit.code === 0 && errors.length === 0 && each.metadata?.finished === true;
      expect(judgeDump(each).good).toBe(isGood);
    }),
  );
});
