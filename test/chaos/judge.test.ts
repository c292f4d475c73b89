import { describe, expect, test } from 'vitest';
import { drawPlan } from '../../chaos/draw.ts';
import { judge, type Observation, unexplained } from '../../chaos/judge.ts';
import type { FaultKind } from '../../chaos/kinds.ts';
import type { FaultPlan } from '../../chaos/plan.ts';

const MIB = 1024 * 1024;

function faultsOf(...kinds: FaultKind[]): FaultPlan[] {
  return kinds.map((kind) => ({
    kind,
    moment: 'started',
    delayMilliseconds: 0,
    milliseconds: 100,
    times: 1,
    pick: 0,
  }));
}

function seen(kinds: readonly FaultKind[], changes: Partial<Observation> = {}): Observation {
  const faults = faultsOf(...kinds);
  return {
    plan: { ...drawPlan(1, 0), budgetMiB: 8, faults },
    struck: faults,
    exitCode: 0,
    signal: null,
    seconds: 3,
    overdue: false,
    failures: [],
    spokeNothing: false,
    printedSecret: false,
    peakStagedBytes: 8 * MIB,
    leftInStaging: [],
    processes: [],
    manifests: ['chaos/20260101T000000Z/manifest.json'],
    uploads: [],
    damage: [],
    faultsOfBackup: [],
    nextRun: undefined,
    ...changes,
  };
}

const none = { manifests: [], faultsOfBackup: undefined };
const failed = (
  exitCode: number,
  reason: string,
  changes: Partial<Observation> = {},
): Partial<Observation> => ({
  ...none,
  exitCode,
  failures: [{ reason, exitCode }],
  ...changes,
});
const lostConnection = 'mydumper reported an error: Lost connection to server';
const killed: Partial<Observation> = { ...none, exitCode: null, signal: 'SIGKILL' };

describe('nothing is wrong with', () => {
  test.each<[string, readonly FaultKind[], Partial<Observation>]>([
    ['a good backup', ['s3-503'], {}],
    ['a good backup in spite of what may end a run', ['db-kill'], {}],
    ['a failure that a fault accounts for', ['db-kill'], failed(4, lostConnection)],
    [
      'a failure that one of several faults accounts for',
      ['s3-503', 'db-kill'],
      failed(4, lostConnection),
    ],
    ['an interruption', ['us-int'], failed(130, 'interrupted by SIGINT')],
    [
      'an interruption before the program listens',
      ['us-term'],
      { ...none, exitCode: null, signal: 'SIGTERM', spokeNothing: true },
    ],
    [
      'unshipped files after a failed upload',
      ['s3-expired'],
      failed(5, 'could not write s3://x: the credentials have expired', {
        leftInStaging: ['shop.t.sql', '.mydumper-fargate.json'],
      }),
    ],
    [
      'a manifest that the reason speaks of',
      ['us-int'],
      {
        ...failed(130, 'interrupted by SIGINT while …; s3://x may be there'),
        manifests: ['m'],
        faultsOfBackup: [],
      },
    ],
    [
      'leftovers of a run that was killed',
      ['us-kill'],
      { ...killed, leftInStaging: ['.mydumper-fargate.cnf'], uploads: ['u'] },
    ],
    [
      'a second signal that ends it at once',
      ['us-term-twice'],
      { ...none, exitCode: 143, leftInStaging: ['shop.t.sql'] },
    ],
    [
      'a next run that clears up',
      ['us-kill'],
      { ...killed, nextRun: { exitCode: 0, left: [], said: '' } },
    ],
  ])('%s', (_title, kinds, changes) => {
    expect(judge(seen(kinds, changes))).toEqual([]);
  });
});

describe('it is a violation', () => {
  test.each<[string, readonly FaultKind[], Partial<Observation>, RegExp]>([
    ['to succeed without a manifest', [], none, /exit 0 without a manifest/],
    [
      'to have a manifest over a bad backup',
      [],
      { faultsOfBackup: ['a row is missing'] },
      /bad backup: a row is missing/,
    ],
    [
      'to have a manifest over a bad backup even after SIGKILL',
      ['us-kill'],
      { ...killed, manifests: ['m'], faultsOfBackup: ['x'] },
      /bad backup/,
    ],
    [
      'to succeed and leave files',
      [],
      { leftInStaging: ['shop.t.sql'] },
      /left in staging: shop\.t\.sql/,
    ],
    ['to succeed and leave uploads', [], { uploads: ['u'] }, /uploads left: u/],
    ['to fail over nothing', [], failed(4, lostConnection), /nothing struck/],
    [
      'to fail over what is to be ridden out',
      ['s3-503'],
      failed(5, 'could not write s3://x'),
      /to be ridden out/,
    ],
    [
      'to fail with another code than the fault accounts for',
      ['db-kill'],
      failed(6, lostConnection),
      /no fault that struck/,
    ],
    [
      'to fail with a reason that does not name the cause',
      ['us-int'],
      failed(130, 'oh dear'),
      /no fault that struck/,
    ],
    ['to fail without a reason', ['db-kill'], { ...none, exitCode: 4 }, /0 reasons/],
    [
      'to report another exit code',
      ['db-kill'],
      { ...failed(4, lostConnection), exitCode: 5 },
      /reported exit 4/,
    ],
    [
      'to end with a code that is not documented',
      ['db-kill'],
      failed(1, lostConnection),
      /1 is not documented/,
    ],
    [
      'to fail with a manifest',
      ['db-kill'],
      { ...failed(4, lostConnection), manifests: ['m'], faultsOfBackup: [] },
      /exit 4 with a manifest/,
    ],
    [
      'to leave the option file',
      ['s3-expired'],
      failed(5, 'the credentials have expired', { leftInStaging: ['.mydumper-fargate.cnf'] }),
      /cnf/,
    ],
    [
      'to leave files after a failed dump',
      ['db-kill'],
      failed(4, lostConnection, { leftInStaging: ['a.sql'] }),
      /a\.sql/,
    ],
    [
      'to leave uploads',
      ['db-kill'],
      failed(4, lostConnection, { uploads: ['u'] }),
      /uploads were left: u/,
    ],
    ['to leave a process', ['us-kill'], { ...killed, processes: ['7 T mydumper'] }, /7 T mydumper/],
    [
      'to be killed by an unknown signal',
      ['db-kill'],
      { ...none, exitCode: null, signal: 'SIGSEGV' },
      /SIGSEGV/,
    ],
    ['to pass the budget by a byte', [], { peakStagedBytes: 8 * MIB + 1 }, /8388609 bytes/],
    ['not to end', ['us-stop'], { ...killed, overdue: true }, /did not end/],
    ['to print the password', [], { printedSecret: true }, /password/],
    ['to touch what is of others', [], { damage: ['object x'] }, /of others.*object x/],
    [
      'to leave what the next run trips over',
      ['us-kill'],
      { ...killed, nextRun: { exitCode: 3, left: [], said: 'not empty' } },
      /exit 3: not empty/,
    ],
  ])('%s', (_title, kinds, changes, violation) => {
    expect(judge(seen(kinds, changes)).join('\n')).toMatch(violation);
  });
});

describe('differences between source and loaded backup', () => {
  const missing = 'table `shop`.`victim` is missing';
  const altered = 'table `shop`.`victim`: create: "a" became "b"';
  const rows = 'table `shop`.`victim`: rows: "2" became "1"';

  test('count unless a fault has made them', () => {
    expect(unexplained([missing, altered, rows], [])).toEqual([missing, altered, rows]);
    expect(unexplained([missing, altered], faultsOf('db-drop-table'))).toEqual([altered]);
    expect(unexplained([altered], faultsOf('db-alter-table'))).toEqual([]);
  });

  test('count where rows of an altered table are gone', () => {
    expect(unexplained([altered, rows], faultsOf('db-alter-table'))).toEqual([rows]);
  });
});
