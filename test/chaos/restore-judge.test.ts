import { describe, expect, test } from 'vitest';
import { drawRestorePlan } from '../../chaos/restore/draw.ts';
import { type Attempt, judgeRestore, type RestoreObservation } from '../../chaos/restore/judge.ts';
import type { RestoreFaultKind } from '../../chaos/restore/kinds.ts';
import type { RestoreFault } from '../../chaos/restore/plan.ts';

const KEY = 'shape/20260101T000000Z/shop.large.sql';

const faultsOf = (kinds: readonly RestoreFaultKind[], attempt = 0): RestoreFault[] =>
  kinds.map((kind) => ({
    kind,
    attempt,
    moment: 'rows',
    delayMilliseconds: 0,
    milliseconds: 100,
    times: 1,
    pick: 0,
  }));

function attempt(kinds: readonly RestoreFaultKind[], changes: Partial<Attempt> = {}): Attempt {
  return {
    struck: faultsOf(kinds),
    exitCode: 0,
    signal: null,
    seconds: 2,
    overdue: false,
    failures: [],
    saidDone: changes.exitCode === undefined || changes.exitCode === 0,
    spokeNothing: false,
    printedSecret: false,
    processes: [],
    wrong: [],
    content: changes.exitCode === undefined || changes.exitCode === 0 ? [] : undefined,
    ...changes,
  };
}

const done = (changes: Partial<Attempt> = {}) => attempt([], changes);
const failed = (
  kinds: readonly RestoreFaultKind[],
  exitCode: number,
  reason: string,
  changes: Partial<Attempt> = {},
) => attempt(kinds, { exitCode, failures: [{ reason, exitCode }], ...changes });
const killed = attempt(['us-kill'], { exitCode: null, signal: 'SIGKILL', saidDone: false });

function seen(
  attempts: readonly Attempt[],
  changes: Partial<RestoreObservation> = {},
): RestoreObservation {
  const faults = attempts.flatMap(({ struck }) => struck);
  return {
    plan: { ...drawRestorePlan(1, 0), faults },
    attempts,
    leftInServer: [],
    ...changes,
  };
}

const lost = 'the connection to the MySQL server was lost: gone (ECONNRESET)';
const wrong = { key: KEY, altered: true, read: true, rows: 0 };
const content = `${KEY}: its CRC-32 is not the manifest's`;
const taken = 'already in the server: "shop.large"';

describe('nothing is wrong with', () => {
  test.each<[string, readonly Attempt[]]>([
    ['a restore that rides its faults out', [attempt(['s3-503', 'db-deadlock'])]],
    ['a restore that succeeds in spite of what may end it', [attempt(['db-crash'])]],
    ['a failure that a fault accounts for', [failed(['db-kill-all'], 8, lost), done()]],
    ['a failure before the first change', [failed(['db-crash'], 3, lost), done()]],
    ['a SIGKILL', [killed, done()]],
    [
      'a signal before the program listens',
      [attempt(['us-term'], { exitCode: null, signal: 'SIGTERM', spokeNothing: true }), done()],
    ],
    ['an interruption', [failed(['us-int'], 130, 'interrupted by SIGINT'), done()]],
    [
      'an outage',
      [failed(['s3-outage'], 8, 'could not read s3://b/k: ServiceUnavailable'), done()],
    ],
    [
      'a wrong object whose table is empty',
      [failed(['s3-wrong-object'], 8, content, { wrong: [wrong] }), done()],
    ],
    [
      'a wrong object that was loaded before',
      [attempt(['s3-wrong-object'], { wrong: [{ ...wrong, read: false, rows: 9 }] })],
    ],
    [
      'a missing object, whose table may keep its rows',
      [
        failed(['s3-gone'], 8, `${KEY}: there is no such object`, {
          wrong: [{ ...wrong, altered: false, read: false, rows: 9 }],
        }),
        done(),
      ],
    ],
    [
      'an attempt that finds the lock still held',
      [
        killed,
        failed([], 3, 'another restore into this server is running (it holds the lock "x")'),
        done(),
      ],
    ],
    [
      'an attempt that was killed after its last statement',
      [killed, failed([], 3, taken, { content: [] })],
    ],
  ])('%s', (_title, attempts) => {
    expect(judgeRestore(seen(attempts))).toEqual([]);
  });
});

describe('a violation is', () => {
  test.each<[string, readonly Attempt[], RegExp]>([
    [
      'a lost row',
      [done({ content: ['table `shop`.`t`: rows: "9" became "8"'] })],
      /exit 0 with other content: table `shop`/,
    ],
    [
      'a row twice after a resumption',
      [killed, done({ content: ['table `shop`.`t`: rows: "9" became "10"'] })],
      /attempt 2: exit 0 with other content/,
    ],
    [
      'a state database that stays',
      [done({ content: ['database mydumper_fargate_restore is there'] })],
      /mydumper_fargate_restore is there/,
    ],
    ['content that was not compared', [done({ content: undefined })], /was not compared/],
    ['exit 0 after a failure', [done({ failures: [{ reason: 'x', exitCode: 8 }] })], /`failed`/],
    ['exit 0 that says nothing', [done({ saidDone: false })], /without a `succeeded`/],
    [
      'a restore that says done and fails',
      [failed(['db-crash'], 8, lost, { saidDone: true }), done()],
      /said done and failed/,
    ],
    [
      'exit 0 after a wrong object was read',
      [attempt(['s3-wrong-object'], { wrong: [wrong] })],
      /exit 0 although shape.*was read and wrong/,
    ],
    [
      'rows of a wrong object that stay',
      [failed(['s3-wrong-body'], 8, content, { wrong: [{ ...wrong, rows: 4 }] }), done()],
      /4 rows stay in the table of shape/,
    ],
    [
      'a reason that does not name the wrong object',
      [failed(['s3-wrong-body'], 8, 'it failed', { wrong: [wrong] }), done()],
      /no fault that struck accounts for it/,
    ],
    [
      'a failure where all faults are to be ridden out',
      [failed(['s3-cut', 'db-lock-table'], 8, 'could not read s3://b/k: cut'), done()],
      /faults to be ridden out/,
    ],
    [
      'a failure that no fault accounts for',
      [failed(['us-stop', 's3-expired'], 8, lost), done()],
      /no fault that struck accounts for it/,
    ],
    [
      'a failure without faults',
      [killed, failed([], 8, lost), done()],
      /attempt 2: exit 8 although nothing struck/,
    ],
    [
      'a defect that calls itself a reason',
      [failed(['db-kill-one'], 8, 'unexpected failure in this program: connection'), done()],
      /a defect and no reason/,
    ],
    ['no reason', [attempt(['db-kill-one'], { exitCode: 8 }), done()], /exit 8 without a reason/],
    ['an exit code of a backup', [failed(['db-kill-one'], 4, lost), done()], /exit code 4 is none/],
    [
      'a code that is not the reported one',
      [
        attempt(['db-kill-one'], { exitCode: 8, failures: [{ reason: lost, exitCode: 3 }] }),
        done(),
      ],
      /it reported 3/,
    ],
    ['a process left', [done({ processes: ['12 node'] })], /processes were left: 12 node/],
    ['a password in the output', [done({ printedSecret: true })], /holds the password/],
    [
      'an attempt that does not end',
      [attempt([], { exitCode: null, signal: 'SIGKILL', overdue: true })],
      /did not end within its bound/,
    ],
    [
      'an end by a signal that no fault sent',
      [attempt(['s3-503'], { exitCode: null, signal: 'SIGSEGV' }), done()],
      /ended by SIGSEGV/,
    ],
    [
      'a restore that never succeeds',
      [killed, failed([], 8, lost), failed([], 8, lost), failed([], 8, lost)],
      /no success after 4 attempts/,
    ],
    [
      'an empty server that is refused',
      [failed(['us-stop'], 3, taken, { content: [] })],
      /refused an empty server/,
    ],
    [
      'a refusal over an incomplete restore',
      [killed, failed([], 3, taken, { content: ['table `shop`.`t` is missing'] })],
      /no success after 2 attempts/,
    ],
  ])('%s', (_title, attempts, violation) => {
    expect(judgeRestore(seen(attempts)).join('\n')).toMatch(violation);
  });

  test('a connection or a lock that stays in the server', () => {
    const leftInServer = ['lock mydumper-fargate-restore of 12'];
    expect(judgeRestore(seen([done()], { leftInServer }))).toEqual([
      'left in the server: lock mydumper-fargate-restore of 12',
    ]);
  });
});
