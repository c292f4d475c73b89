import { expect, test } from 'vitest';
import { positionPrivilege } from '../../app/database/grant-statements.ts';
import { LOCKING } from '../../app/database/privilege-table.ts';
import { missingPrivileges, positionUnavailable } from '../../app/database/privileges.ts';
import type { PrivilegeServer } from '../../app/database/user-rights.ts';
import { ROOT, serverOf } from './rights.ts';

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

/** The statements in all lines about a user with these grants. */
function statements(grants: readonly string[], changed: Partial<PrivilegeServer> = {}): string[] {
  const server = serverOf(grants, { databases: ['shop', 'c_m'], ...changed });
  return missingPrivileges(server, { generation: 'modern', lock: 'lock-all' }).flatMap(({ line }) =>
    (/; run: (.*)$/s.exec(line)?.[1] ?? '').split(/(?<=;) /),
  );
}

const TABLES = ['shop', 'c_m'].map((database) => ({ database, table: 't', engine: 'innodb' }));

test('a user with privileges on everything gets one GRANT on everything', () => {
  const grants = ['GRANT SELECT, PROCESS, LOCK TABLES, SHOW VIEW, TRIGGER ON *.* TO `b`@`%`'];
  expect(statements(grants, { tables: TABLES, openedDatabases: ['shop', 'c_m', 'mysql'] })).toEqual(
    ['GRANT EVENT ON *.* TO `b`@`%`;'],
  );
});

test('a user with privileges on databases gets GRANTs for these, with escaped names', () => {
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

test('a partial revoke is lifted by a GRANT on the database', () => {
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
  // A user who may read a system table sees its database, and mydumper lists its events.
  [
    'mariadb',
    '10.11.14-MariaDB',
    ['GRANT SELECT ON `mysql`.`proc` TO `b`@`%`;', 'GRANT EVENT ON `mysql`.* TO `b`@`%`;'],
  ],
] as const)('on %s %s the routines need %j', (vendor, version, expected) => {
  const grants = [
    'GRANT PROCESS ON *.* TO `b`@`%`',
    'GRANT SELECT, LOCK TABLES, EVENT, TRIGGER, SHOW VIEW ON `shop`.* TO `b`@`%`',
  ];
  expect(statements(grants, { vendor, version, databases: ['shop'] })).toEqual(expected);
});

test('a line names a few of many databases and tables', () => {
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

test('inactive roles are named, with the statement that activates them', () => {
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

test('the reason for a missing position names the privilege, the server or the statement', () => {
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
