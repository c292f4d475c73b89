import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { LOCKING, type PrivilegeRow, READING } from '../../app/database/privilege-table.ts';
import {
  type MissingPrivilege,
  missingPrivileges,
  positionUnavailable,
} from '../../app/database/privileges.ts';
import type { PrivilegeServer } from '../../app/database/user-rights.ts';
import type { LockPlan } from '../../app/mydumper/arguments.ts';
import type { PrivilegeRecording, PrivilegeRun } from '../support/privileges/recording.ts';

const FIXTURES = new URL('../fixtures/privileges/', import.meta.url);
const FILES = readdirSync(FIXTURES);

/** Runs of real mydumpers on real servers, made by test/support/privileges/record.ts. */
const RUNS = FILES.flatMap((file) => {
  const text = readFileSync(new URL(file, FIXTURES), 'utf8');
  const { users, vendor, server: version, generation }: PrivilegeRecording = JSON.parse(text);
  return users.flatMap(({ lacks, told, runs }) =>
    Object.entries(runs).map(([lock, run]) => {
      const server: PrivilegeServer = { vendor, version, ...told };
      const circumstances = { generation, lock: lock as LockPlan };
      const missing = missingPrivileges(server, circumstances);
      return { file, lacks, server, circumstances, run, missing };
    }),
  );
});

const OF_POSITION = /^Couldn't get master position - ERROR 1227: /;

/**
 * How a dump ends. An error of the position alone is no failure, since the program makes 1.x ignore
 * it.
 */
function outcomeOf(run: PrivilegeRun): 'fails' | 'lacks objects' | 'right' {
  const ofPosition = run.exit === 1 && run.said.every((line) => OF_POSITION.test(line));
  if (run.exit !== 0 && !ofPosition) return 'fails';
  return run.lost.length > 0 ? 'lacks objects' : 'right';
}

function isRefused(missing: readonly MissingPrivilege[]): boolean {
  return missing.some(({ outcome }) => outcome === 'refused');
}

/** mydumper ends well, and yet the program must refuse such a backup. */
function mustBeRefused({ circumstances: { lock }, server, run }: (typeof RUNS)[number]): boolean {
  // Without a position 1.x calls any dump consistent.
  const unchecked = lock === 'safe-no-lock' && !run.position && server.writesBinaryLog;
  return unchecked || server.unreadableRoutines.length > 0;
}

test('recordings hold both generations, on both vendors, with the binary log on and off', () => {
  const kinds = RUNS.map(({ server, circumstances: { generation } }) =>
    [generation, server.vendor, server.writesBinaryLog].join(),
  );
  expect(new Set(kinds).size).toBe(8);
});

test.each(FILES)('%s: dumps that fail are refused, and no others', (file) => {
  const wrong = RUNS.filter((each) => {
    const expected = outcomeOf(each.run) === 'fails' || mustBeRefused(each);
    return each.file === file && isRefused(each.missing) !== expected;
  });
  expect(wrong).toEqual([]);
});

test.each(FILES)('%s: dumps without objects or a position are refused or warned of', (file) => {
  const wrong = RUNS.filter(({ run, server, missing, ...each }) => {
    if (each.file !== file || isRefused(missing)) return false;
    const lines = missing
      .filter(({ privilege }) => privilege !== 'PROCESS')
      .map(({ line }) => line);
    const aboutPosition = lines.filter((line) => line.includes('position in the binary log'));
    const lacksPosition =
      !run.position && server.writesBinaryLog && server.position.kind !== 'unknown';
    return (
      lines.length - aboutPosition.length > 0 !== (outcomeOf(run) === 'lacks objects') ||
      aboutPosition.length > 0 !== lacksPosition ||
      run.position !== (positionUnavailable(server) === undefined)
    );
  });
  expect(wrong).toEqual([]);
});

/** Whether a run without the privilege shows what its row of the table says. */
function shows({ privilege, outcome }: PrivilegeRow, run: PrivilegeRun): boolean {
  if (privilege.includes('BINLOG MONITOR')) return !run.position;
  if (privilege.includes('SHOW_ROUTINE')) return run.lost.includes('shop-schema-post.sql');
  if (privilege === 'TRIGGER') return run.lost.includes('shop.orders-schema-triggers.sql');
  return outcome === 'refused' ? outcomeOf(run) === 'fails' : outcomeOf(run) === 'right';
}

const ROWS = [...READING, ...LOCKING].flatMap((row) =>
  row.generations.flatMap((generation) =>
    // 0.10 has no safe-no-lock: locking.ts refuses it.
    row.locks
      .filter((lock) => generation === 'modern' || lock !== 'safe-no-lock')
      .map((lock) => ({ ...row, generation, lock, row })),
  ),
);

test.each(ROWS)(
  '$privilege on $on, $generation, $lock: $outcome, as recorded',
  ({ row, generation, lock }) => {
    const runs = RUNS.filter(({ server, circumstances, lacks }) => {
      if (circumstances.generation !== generation || circumstances.lock !== lock) return false;
      // mydumper does not need such a privilege: only the user's name shows who misses it.
      if (row.outcome === 'fine') return lacks !== 'nothing' && row.privilege.startsWith(lacks);
      return missingPrivileges(server, circumstances, [row]).length > 0;
    });
    // Only the user named SUPER holds SUPER.
    if (row.privilege !== 'SUPER') expect(runs.length).toBeGreaterThan(0);
    // Some of these users miss more than this privilege.
    const wrong = runs.filter(({ run }) => !shows(row, run) && outcomeOf(run) !== 'fails');
    expect(wrong).toEqual([]);
  },
);
