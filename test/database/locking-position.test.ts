import { expect, test } from 'vitest';
import { chooseLocking } from '../../app/database/locking.ts';
import { both, GRANTS } from './grant-lines.ts';
import { serverOf } from './rights.ts';

const REFUSAL = { statement: 'SHOW MASTER STATUS', errorNumber: 1227 };

test('safe-no-lock is for 1.x only', () => {
  expect(chooseLocking('safe-no-lock', 'modern', serverOf(GRANTS['a reader']))).toMatchObject({
    plan: 'safe-no-lock',
  });
  // 0.10 would continue without any consistency.
  const choose = () =>
    chooseLocking('safe-no-lock', 'classic', serverOf(GRANTS['root of MySQL 8']));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(/LOCK_MODE="safe-no-lock".*lock-all/);
});

// 1.x would compare two missing positions, and call the backup consistent.
test.each([
  [
    'the user may not ask for it',
    { position: { kind: 'denied', ...REFUSAL } },
    /run: GRANT BINLOG MONITOR/,
  ],
  [
    'nothing is logged',
    { writesBinaryLog: false, position: { kind: 'none' } },
    /log_bin is OFF.*lock-all/,
  ],
  [
    'nothing is logged and the user may not ask',
    { writesBinaryLog: false, position: { kind: 'denied', ...REFUSAL } },
    /log_bin is OFF.*lock-all/,
  ],
  [
    'mydumper does not know how to ask',
    { position: { kind: 'unknown', ...REFUSAL } },
    /SHOW MASTER STATUS/,
  ],
] as const)('safe-no-lock is refused without a position, since %s', (_why, changed, message) => {
  const choose = () =>
    chooseLocking('safe-no-lock', 'modern', serverOf(GRANTS['a backup user with RELOAD'], changed));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(message);
});

test.each(both([['ftwrl'], ['lock-all'], ['none']] as const))(
  '%s: %s without the privilege for the position warns, with the GRANT',
  (generation, mode) => {
    const server = serverOf(GRANTS['a backup user with RELOAD'], {
      position: { kind: 'denied', ...REFUSAL },
    });
    expect(chooseLocking(mode, generation, server)).toMatchObject({
      plan: mode,
      warnings: [
        expect.stringMatching(
          /position in the binary log.*run: GRANT BINLOG MONITOR ON \*\.\* TO `b`@`%`;/,
        ),
      ],
      positionUnavailable: expect.stringContaining('BINLOG MONITOR'),
      // 1.x would dump everything and exit with 1.
      ignoredErrors: generation === 'modern' ? [1227] : [],
    });
  },
);

test('without a binary log there is no warning, and 1.x ignores the denied question', () => {
  const changed = { writesBinaryLog: false, position: { kind: 'denied', ...REFUSAL } } as const;
  expect(
    chooseLocking('auto', 'modern', serverOf(GRANTS['a backup user with RELOAD'], changed)),
  ).toMatchObject({
    warnings: [],
    positionUnavailable: expect.stringContaining('log_bin is OFF'),
    ignoredErrors: [1227],
  });
});

test('0.10 on a server without SHOW MASTER STATUS warns of the missing position', () => {
  const server = serverOf(GRANTS['a backup user with RELOAD'], {
    vendor: 'mysql',
    position: { kind: 'unknown', statement: 'SHOW MASTER STATUS', errorNumber: 1064 },
  });
  expect(chooseLocking('auto', 'classic', server)).toMatchObject({
    warnings: [expect.stringMatching(/no position.*SHOW MASTER STATUS.*use mydumper 1\.x/)],
    positionUnavailable: expect.stringContaining('SHOW MASTER STATUS'),
    ignoredErrors: [],
  });
});
