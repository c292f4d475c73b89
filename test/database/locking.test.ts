import { expect, test } from 'vitest';
import type { LockMode } from '../../app/config.ts';
import { globalPrivileges } from '../../app/database/grants.ts';
import { chooseLocking } from '../../app/database/locking.ts';
import { Failure } from '../../app/errors.ts';
import type { LockPlan } from '../../app/mydumper/arguments.ts';
import type { Generation } from '../../app/mydumper/version.ts';

/** Lines of SHOW GRANTS as servers print them, cut before IDENTIFIED as the inventory does. */
const GRANTS = {
  'root of MySQL 8': [
    'GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, PROCESS, FILE, REFERENCES, INDEX, ALTER, SHOW DATABASES, SUPER, CREATE TEMPORARY TABLES, LOCK TABLES, EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, CREATE TABLESPACE, CREATE ROLE, DROP ROLE ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    'GRANT APPLICATION_PASSWORD_ADMIN,AUDIT_ADMIN,BACKUP_ADMIN,BINLOG_ADMIN,CONNECTION_ADMIN,FLUSH_OPTIMIZER_COSTS,FLUSH_STATUS,FLUSH_TABLES,FLUSH_USER_RESOURCES,SYSTEM_USER,XA_RECOVER_ADMIN ON *.* TO `root`@`localhost` WITH GRANT OPTION',
    "GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION",
  ],
  'root of MariaDB 10.11': [
    'GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`',
    "GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION",
  ],
  'a backup user with RELOAD': [
    'GRANT SELECT, RELOAD, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
  ],
  'a MySQL 8 user with FLUSH_TABLES': [
    'GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
    'GRANT FLUSH_TABLES,SHOW_ROUTINE ON *.* TO `backup`@`%`',
  ],
  'a user with LOCK TABLES': [
    'GRANT SELECT, PROCESS, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON *.* TO `backup`@`%`',
  ],
  'a user with LOCK TABLES on a database': [
    'GRANT USAGE ON *.* TO `backup`@`%`',
    'GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT, TRIGGER ON `shop`.* TO `backup`@`%`',
  ],
  'the owner of a database': [
    'GRANT USAGE ON *.* TO `shop`@`%`',
    'GRANT ALL PRIVILEGES ON `shop`.* TO `shop`@`%`',
  ],
  'a reader': ['GRANT SELECT, PROCESS, SHOW VIEW, EVENT, TRIGGER ON *.* TO `reader`@`%`'],
  'a user with dynamic privileges that look alike': [
    'GRANT SELECT ON *.* TO `u`@`%`',
    'GRANT FLUSH_STATUS,FLUSH_USER_RESOURCES,BACKUP_ADMIN,CONNECTION_ADMIN ON *.* TO `u`@`%`',
  ],
  nobody: ['GRANT USAGE ON *.* TO `nobody`@`%`'],
} as const;

const serverOf = (grants: readonly string[], databases = ['shop'], managedByAws = false) => ({
  grants,
  databases,
  managedByAws,
  tables: [{ database: 'shop', table: 'orders', engine: 'innodb' }],
});

type Who = keyof typeof GRANTS;
const GENERATIONS: readonly Generation[] = ['classic', 'modern'];
const both = <T extends readonly unknown[]>(rows: readonly T[]) =>
  rows.flatMap((row) => GENERATIONS.map((generation) => [generation, ...row] as const));

const AUTO: readonly (readonly [Who, LockPlan])[] = [
  ['root of MySQL 8', 'ftwrl'],
  ['root of MariaDB 10.11', 'ftwrl'],
  ['a backup user with RELOAD', 'ftwrl'],
  ['a MySQL 8 user with FLUSH_TABLES', 'ftwrl'],
  ['a user with LOCK TABLES', 'lock-all'],
  ['a user with LOCK TABLES on a database', 'lock-all'],
  ['the owner of a database', 'lock-all'],
];

test.each(both(AUTO))('auto, %s: %s gets %s', (generation, who, plan) => {
  const choice = chooseLocking('auto', generation, serverOf(GRANTS[who]));
  expect(choice.plan).toBe(plan);
  expect(choice.consistency).toMatch(/^one point in time for all tables/);
  expect(choice.reason).toMatch(/^the user may /);
});

const UNABLE: readonly (readonly [Who])[] = [
  ['a reader'],
  ['a user with dynamic privileges that look alike'],
  ['nobody'],
];

test.each(both(UNABLE))('auto, %s: %s is refused with the way out', (generation, who) => {
  const choose = () => chooseLocking('auto', generation, serverOf(GRANTS[who]));
  expect(choose).toThrow(Failure);
  expect(choose).toThrow(/RELOAD.*LOCK TABLES.*LOCK_MODE=none/);
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight', lines: [expect.any(String)] }));
});

test('without any grants auto is refused', () => {
  expect(() => chooseLocking('auto', 'modern', serverOf([]))).toThrow(Failure);
});

const ASKED: readonly (readonly [Exclude<LockMode, 'auto'>, RegExp])[] = [
  ['ftwrl', /FLUSH TABLES WITH READ LOCK/],
  ['lock-all', /LOCK TABLES/],
  ['none', /^none/],
];

test.each(both(ASKED))(
  '%s: %s is what it gets who asks for it, whatever is granted',
  (generation, mode, consistency) => {
    for (const grants of Object.values(GRANTS)) {
      const choice = chooseLocking(mode, generation, serverOf(grants));
      expect(choice).toMatchObject({ plan: mode, reason: `LOCK_MODE is ${mode}` });
      expect(choice.consistency).toMatch(consistency);
    }
  },
);

test('safe-no-lock is for 1.x; of 0.10 it is refused, as it would go on without any consistency', () => {
  expect(chooseLocking('safe-no-lock', 'modern', serverOf(GRANTS['a reader']))).toMatchObject({
    plan: 'safe-no-lock',
  });
  const choose = () => chooseLocking('safe-no-lock', 'classic', serverOf(GRANTS['root of MySQL 8']));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(/LOCK_MODE="safe-no-lock".*lock-all/);
});

test('privileges are read from lines as servers print them', () => {
  const of = (who: Who) => globalPrivileges(GRANTS[who]);
  expect(of('root of MariaDB 10.11')).toEqual(new Set(['ALL PRIVILEGES']));
  expect(of('the owner of a database')).toEqual(new Set(['USAGE']));
  const root = of('root of MySQL 8');
  for (const name of ['SELECT', 'DROP ROLE', 'FLUSH_TABLES', 'XA_RECOVER_ADMIN'])
    expect(root).toContain(name);
  expect(root).not.toContain('PROXY');
});

// RDS grants RELOAD to its master user and still refuses FLUSH TABLES WITH READ LOCK.
test.each(both([['root of MySQL 8'], ['a backup user with RELOAD']] as const))(
  'auto: %s, on RDS and Aurora %s, whose RELOAD does not give the global lock, gets lock-all',
  (generation, who) => {
    const choice = chooseLocking('auto', generation, serverOf(GRANTS[who], ['shop'], true));
    expect(choice.plan).toBe('lock-all');
    expect(choice.reason).toMatch(/RDS and Aurora refuse/);
  },
);

test('auto: on RDS a user with FLUSH_TABLES alone is refused, naming what would do', () => {
  const server = serverOf(GRANTS['a MySQL 8 user with FLUSH_TABLES'], ['shop'], true);
  expect(() => chooseLocking('auto', 'modern', server)).toThrow(/may not lock tables \(LOCK TABLES\)/);
});

test('auto: a user who may lock tables in some of the dumped databases only is refused, naming the others', () => {
  const grants = GRANTS['a user with LOCK TABLES on a database'];
  const choose = () => chooseLocking('auto', 'classic', serverOf(grants, ['shop', 'crm', 'wiki']));
  expect(choose).toThrow(/nor lock tables of "crm", "wiki" \(LOCK TABLES\).*DATABASES.*LOCK_MODE=none/);
  expect(choose).not.toThrow(/"shop"/);
});

test('lock-all by 0.10 does not promise one point in time for tables without transactions, and names them', () => {
  const server = {
    ...serverOf(GRANTS['a user with LOCK TABLES']),
    tables: ['innodb', 'myisam'].map((engine) => ({ database: 'shop', table: engine, engine })),
  };
  const choice = chooseLocking('auto', 'classic', server);
  expect(choice.consistency).toMatch(/^one point in time for transactional tables.*each other table/);
  expect(choice.warnings).toEqual([expect.stringMatching(/: "shop\.myisam"; make them InnoDB/)]);
  expect(chooseLocking('ftwrl', 'classic', server)).toMatchObject({
    consistency: expect.stringMatching(/for all tables/),
    warnings: [],
  });
});

test.each(['ftwrl', 'lock-all', 'safe-no-lock'] as const)(
  'mydumper 1.x with %s promises one point in time for transactional tables only, and names the others',
  (mode) => {
    const of = (...engines: string[]) =>
      chooseLocking(mode, 'modern', {
        ...serverOf(GRANTS['root of MySQL 8']),
        tables: engines.map((engine) => ({ database: 'shop', table: engine, engine })),
      });
    expect(of('innodb').warnings).toEqual([]);
    const mixed = of('innodb', 'myisam');
    expect(mixed.consistency).toMatch(/^one point in time for transactional tables.*each other table/);
    expect(mixed.warnings).toEqual([expect.stringMatching(/: "shop\.myisam"; make them InnoDB.*0\.10/)]);
  },
);
