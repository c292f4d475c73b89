import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  LOCKING,
  type MissingPrivilege,
  missingPrivileges,
  type PrivilegeRow,
  type PrivilegeServer,
  positionPrivilege,
  positionUnavailable,
  quoteAccount,
  READING,
} from '../../app/database/privileges.ts';
import type { LockPlan } from '../../app/mydumper/arguments.ts';
import type { PrivilegeRecording, PrivilegeRun } from '../support/privileges/recording.ts';
import { ROOT, serverOf } from './rights.ts';

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
 * How a dump ends that is not failed because of the position alone, which 1.x is told to ignore.
 */
function outcomeOf(run: PrivilegeRun): 'fails' | 'lacks objects' | 'right' {
  const ofPosition = run.exit === 1 && run.said.every((line) => OF_POSITION.test(line));
  if (run.exit !== 0 && !ofPosition) return 'fails';
  return run.lost.length > 0 ? 'lacks objects' : 'right';
}

function isRefused(missing: readonly MissingPrivilege[]): boolean {
  return missing.some(({ outcome }) => outcome === 'refused');
}

/** mydumper ends well, and yet no such backup may be made. */
function mustBeRefused({ circumstances: { lock }, server, run }: (typeof RUNS)[number]): boolean {
  // Without a position 1.x takes any dump for consistent.
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

test.each(FILES)('%s: dumps that lack objects or a position are refused or warned of', (file) => {
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

/** What a run without the privilege must have shown for a row of the table to be right. */
function shows({ privilege, outcome }: PrivilegeRow, run: PrivilegeRun): boolean {
  if (privilege.includes('BINLOG MONITOR')) return !run.position;
  if (privilege.includes('SHOW_ROUTINE')) return run.lost.includes('shop-schema-post.sql');
  if (privilege === 'TRIGGER') return run.lost.includes('shop.orders-schema-triggers.sql');
  return outcome === 'refused' ? outcomeOf(run) === 'fails' : outcomeOf(run) === 'right';
}

const ROWS = [...READING, ...LOCKING].flatMap((row) =>
  row.generations.flatMap((generation) =>
    // 0.10 has no such mode, which locking.ts refuses.
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
      // Of a privilege that nothing needs, the users are known by their names alone.
      if (row.outcome === 'fine') return lacks !== 'nothing' && row.privilege.startsWith(lacks);
      return missingPrivileges(server, circumstances, [row]).length > 0;
    });
    // SUPER nobody has but who is named after it.
    if (row.privilege !== 'SUPER') expect(runs.length).toBeGreaterThan(0);
    // Others may lack more than this.
    const wrong = runs.filter(({ run }) => !shows(row, run) && outcomeOf(run) !== 'fails');
    expect(wrong).toEqual([]);
  },
);

test.each([
  ['mariadb', '10.11.14-MariaDB-0+deb12u2', 'BINLOG MONITOR'],
  ['mariadb', '11.8.9-MariaDB', 'BINLOG MONITOR'],
  ['mariadb', '10.5.0-MariaDB', 'BINLOG MONITOR'],
  ['mariadb', '10.4.33-MariaDB', 'REPLICATION CLIENT'],
  ['mysql', '9.7.4-2', 'REPLICATION CLIENT'],
  ['mysql', '8.0.40', 'REPLICATION CLIENT'],
] as const)('on %s %s the position needs %s', (vendor, version, privilege) => {
  expect(positionPrivilege({ vendor, version })).toBe(privilege);
  const server = serverOf(ROOT, {
    vendor,
    version,
    position: { kind: 'denied', statement: 'SHOW MASTER STATUS', errorNumber: 1227 },
  });
  expect(missingPrivileges(server, { generation: 'modern', lock: 'ftwrl' })).toMatchObject([
    {
      outcome: 'warned',
      line: expect.stringMatching(
        new RegExp(`; run: GRANT ${privilege} ON \\*\\.\\* TO \`b\`@\`%\`;$`),
      ),
    },
  ]);
});

/** The statements of all lines about such a user. */
function statements(grants: readonly string[], changed: Partial<PrivilegeServer> = {}): string[] {
  const server = serverOf(grants, { databases: ['shop', 'c_m'], ...changed });
  return missingPrivileges(server, { generation: 'modern', lock: 'lock-all' }).flatMap(({ line }) =>
    (/; run: (.*)$/s.exec(line)?.[1] ?? '').split(/(?<=;) /),
  );
}

const TABLES = ['shop', 'c_m'].map((database) => ({ database, table: 't', engine: 'innodb' }));

test('a user with privileges on everything is granted one on everything', () => {
  const grants = ['GRANT SELECT, PROCESS, LOCK TABLES, SHOW VIEW, TRIGGER ON *.* TO `b`@`%`'];
  expect(statements(grants, { tables: TABLES, openedDatabases: ['shop', 'c_m', 'mysql'] })).toEqual(
    ['GRANT EVENT ON *.* TO `b`@`%`;'],
  );
});

test('a user with privileges on databases is granted them there, where names are no patterns', () => {
  const grants = [
    'GRANT PROCESS ON *.* TO `b`@`%`',
    'GRANT SELECT, LOCK TABLES, EVENT, SHOW VIEW, EXECUTE ON `shop`.* TO `b`@`%`',
    'GRANT SELECT, LOCK TABLES, EVENT, SHOW VIEW, EXECUTE ON `c\\_m`.* TO `b`@`%`',
  ];
  expect(statements(grants, { tables: TABLES })).toEqual([
    'GRANT TRIGGER ON `shop`.* TO `b`@`%`;',
    'GRANT TRIGGER ON `c\\_m`.* TO `b`@`%`;',
  ]);
  expect(statements(grants, { tables: TABLES, literalNames: true })).toContain(
    'GRANT TRIGGER ON `c_m`.* TO `b`@`%`;',
  );
});

test('what a partial revoke takes back is granted on the database, where alone that lifts it', () => {
  const grants = [...ROOT, 'REVOKE SELECT, EVENT ON `shop`.* FROM `b`@`%`'];
  expect(statements(grants, { tables: TABLES, literalNames: true })).toEqual([
    'GRANT SELECT ON `shop`.* TO `b`@`%`;',
    'GRANT EVENT ON `shop`.* TO `b`@`%`;',
  ]);
});

test.each([
  ['mysql', '9.7.4', ['GRANT SHOW_ROUTINE ON *.* TO `b`@`%`;']],
  ['mysql', '8.0.19', ['GRANT SELECT ON *.* TO `b`@`%`;']],
  ['mariadb', '11.8.9-MariaDB', ['GRANT SHOW CREATE ROUTINE ON `shop`.* TO `b`@`%`;']],
  // Who may read a system table sees its database, of which mydumper lists the events.
  [
    'mariadb',
    '10.11.14-MariaDB',
    ['GRANT SELECT ON `mysql`.`proc` TO `b`@`%`;', 'GRANT EVENT ON `mysql`.* TO `b`@`%`;'],
  ],
] as const)('on %s %s routines are shown by %j', (vendor, version, expected) => {
  const grants = [
    'GRANT PROCESS ON *.* TO `b`@`%`',
    'GRANT SELECT, LOCK TABLES, EVENT, TRIGGER, SHOW VIEW ON `shop`.* TO `b`@`%`',
  ];
  expect(statements(grants, { vendor, version, databases: ['shop'] })).toEqual(expected);
});

test('of many databases and tables a few are named', () => {
  const tables = Array.from({ length: 9 }, (_, index) => ({
    database: `d${index}`,
    table: 't',
    engine: 'innodb',
  }));
  const server = serverOf(['GRANT PROCESS ON *.* TO `b`@`%`'], {
    databases: [],
    tables,
    openedDatabases: [],
  });
  const [first] = missingPrivileges(server, { generation: 'classic', lock: 'none' });
  expect(first?.line).toMatch(/"d0\.t", "d1\.t", "d2\.t" and 6 more; run: GRANT SELECT ON `d0`/);
  expect(first?.line).toMatch(/`d4`\.\* TO `b`@`%`; and the same for 4 more databases$/);
});

test('roles that are granted and not active are named with what makes them so', () => {
  const lineWith = (inactiveRoles: readonly string[]) => {
    const server = serverOf(['GRANT USAGE ON *.* TO `b`@`%`'], { inactiveRoles });
    return missingPrivileges(server, { generation: 'classic', lock: 'ftwrl' }, LOCKING)[0]?.line;
  };
  expect(lineWith(['`r`'])).toMatch(/\(`r`\): SET DEFAULT ROLE `r` FOR `b`@`%`;$/);
  expect(lineWith(['`r`@`%`', '`s`@`%`'])).toMatch(
    /\(`r`@`%`, `s`@`%`\): SET DEFAULT ROLE ALL TO `b`@`%`;$/,
  );
  expect(lineWith([])).toMatch(/GRANT RELOAD ON \*\.\* TO `b`@`%`;$/);
});

test.each([
  ['backup@%', '`backup`@`%`'],
  ["we'ird@x@10.0.0.%", "`we'ird@x`@`10.0.0.%`"],
  ['back`tick@localhost', '`back``tick`@`localhost`'],
  ['@localhost', '``@`localhost`'],
])('the account %s is written %s', (told, quoted) => {
  expect(quoteAccount(told)).toBe(quoted);
});

test('the reason of a missing position tells the privilege, the server or the statement', () => {
  const reason = (changed: Partial<PrivilegeServer>) =>
    positionUnavailable(serverOf(ROOT, changed));
  const refusal = { statement: 'SHOW MASTER STATUS', errorNumber: 1227 };
  expect(reason({})).toBeUndefined();
  expect(reason({ position: { kind: 'none' } })).toMatch(/log_bin is OFF/);
  expect(reason({ position: { kind: 'denied', ...refusal } })).toMatch(/lacks BINLOG MONITOR/);
  expect(reason({ position: { kind: 'denied', ...refusal }, writesBinaryLog: false })).toMatch(
    /OFF/,
  );
  expect(reason({ position: { kind: 'unknown', ...refusal } })).toMatch(
    /by SHOW MASTER STATUS, which/,
  );
});
