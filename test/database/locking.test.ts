import { expect, test } from 'vitest';
import type { LockMode } from '../../app/config.ts';
import { globalPrivileges } from '../../app/database/grants.ts';
import { chooseLocking } from '../../app/database/locking.ts';
import { Failure } from '../../app/errors.ts';
import type { LockPlan } from '../../app/mydumper/arguments.ts';
import type { Generation } from '../../app/mydumper/version.ts';
import { serverOf } from './rights.ts';

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
  expect(choose).toThrow(
    expect.objectContaining({ kind: 'preflight', lines: [expect.any(String)] }),
  );
});

test('without any grants auto is refused', () => {
  expect(() => chooseLocking('auto', 'modern', serverOf([]))).toThrow(Failure);
});

const ASKED: readonly (readonly [Exclude<LockMode, 'auto' | 'safe-no-lock'>, RegExp, Who])[] = [
  ['ftwrl', /FLUSH TABLES WITH READ LOCK/, 'a backup user with RELOAD'],
  ['lock-all', /LOCK TABLES/, 'a user with LOCK TABLES'],
  ['none', /^none/, 'a reader'],
];

test.each(both(ASKED))(
  '%s: %s is what the user gets who asks for it and may',
  (generation, mode, consistency, who) => {
    const choice = chooseLocking(mode, generation, serverOf(GRANTS[who]));
    expect(choice).toMatchObject({ plan: mode, reason: `LOCK_MODE is ${mode}`, warnings: [] });
    expect(choice.consistency).toMatch(consistency);
  },
);

test.each(
  both([
    [
      'ftwrl',
      'a user with LOCK TABLES',
      /LOCK_MODE="ftwrl".*\(RELOAD\).*GRANT RELOAD ON \*\.\* TO `b`@`%`;/,
    ],
    ['ftwrl', 'the owner of a database', /LOCK_MODE="ftwrl".*GRANT RELOAD/],
    ['lock-all', 'a reader', /LOCK_MODE="lock-all".*GRANT LOCK TABLES ON \*\.\* TO `b`@`%`;/],
    ['lock-all', 'nobody', /LOCK_MODE="lock-all".*GRANT LOCK TABLES ON `shop`\.\* TO `b`@`%`;/],
  ] as const),
)('%s: %s asked for by %s is refused with the GRANT to run', (generation, mode, who, message) => {
  const choose = () => chooseLocking(mode, generation, serverOf(GRANTS[who]));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(message);
  expect(choose).toThrow(/or set LOCK_MODE=auto$/);
});

test('ftwrl asked for on RDS or Aurora is refused, whatever is granted', () => {
  const choose = () =>
    chooseLocking('ftwrl', 'modern', serverOf(GRANTS['root of MySQL 8'], { managedByAws: true }));
  expect(choose).toThrow(/LOCK_MODE="ftwrl": RDS and Aurora refuse.*lock-all/);
});

const REFUSAL = { statement: 'SHOW MASTER STATUS', errorNumber: 1227 };

test('safe-no-lock is for 1.x; of 0.10 it is refused, as it would go on without any consistency', () => {
  expect(chooseLocking('safe-no-lock', 'modern', serverOf(GRANTS['a reader']))).toMatchObject({
    plan: 'safe-no-lock',
  });
  const choose = () =>
    chooseLocking('safe-no-lock', 'classic', serverOf(GRANTS['root of MySQL 8']));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(/LOCK_MODE="safe-no-lock".*lock-all/);
});

// 1.x compares nothing with nothing then, and calls the backup consistent.
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
  '%s: %s without the right to ask for the position is made, with a warning and the GRANT',
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

test('without a binary log nobody is warned, and 1.x may still not be told that it is off', () => {
  const changed = { writesBinaryLog: false, position: { kind: 'denied', ...REFUSAL } } as const;
  expect(
    chooseLocking('auto', 'modern', serverOf(GRANTS['a backup user with RELOAD'], changed)),
  ).toMatchObject({
    warnings: [],
    positionUnavailable: expect.stringContaining('log_bin is OFF'),
    ignoredErrors: [1227],
  });
});

test('0.10 on a server without SHOW MASTER STATUS makes a backup without a position, with a warning', () => {
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
    const choice = chooseLocking('auto', generation, serverOf(GRANTS[who], { managedByAws: true }));
    expect(choice.plan).toBe('lock-all');
    expect(choice.reason).toMatch(/RDS and Aurora refuse/);
  },
);

test('auto: on RDS a user with FLUSH_TABLES alone is refused, naming what would do', () => {
  const server = serverOf(GRANTS['a MySQL 8 user with FLUSH_TABLES'], { managedByAws: true });
  expect(() => chooseLocking('auto', 'modern', server)).toThrow(
    /may not lock tables \(LOCK TABLES\)/,
  );
});

test('auto: a user who may lock tables in some of the dumped databases only is refused, naming the others', () => {
  const grants = GRANTS['a user with LOCK TABLES on a database'];
  const tables = ['shop', 'crm', 'wiki'].map((database) => ({
    database,
    table: 't',
    engine: 'innodb',
  }));
  const choose = () => chooseLocking('auto', 'classic', serverOf(grants, { tables }));
  expect(choose).toThrow(
    /nor lock tables of "crm", "wiki" \(LOCK TABLES\).*DATABASES.*LOCK_MODE=none/,
  );
  expect(choose).not.toThrow(/"shop"/);
});

test('databases without tables need no LOCK TABLES', () => {
  const grants = GRANTS['a user with LOCK TABLES on a database'];
  expect(
    chooseLocking('auto', 'modern', serverOf(grants, { databases: ['shop', 'empty'] })).plan,
  ).toBe('lock-all');
});

const MIXED = {
  tables: ['innodb', 'myisam'].map((engine) => ({ database: 'shop', table: engine, engine })),
};

// 1.x releases all locks once its transactions have begun, 0.10 keeps the global one.
test.each([
  ['lock-all', 'classic', /: "shop\.myisam"; make them InnoDB, or set LOCK_MODE=ftwrl$/],
  ['lock-all', 'modern', /: "shop\.myisam"; make them InnoDB, or use mydumper 0\.10 with/],
  ['ftwrl', 'modern', /: "shop\.myisam"; make them InnoDB, or use mydumper 0\.10 with/],
  ['safe-no-lock', 'modern', /: "shop\.myisam"; make them InnoDB, or use mydumper 0\.10 with/],
] as const)(
  '%s, %s: tables without transactions are of a later moment, and named',
  (mode, generation, warning) => {
    const choice = chooseLocking(
      mode,
      generation,
      serverOf(GRANTS['a backup user with RELOAD'], MIXED),
    );
    expect(choice.consistency).toMatch(
      /^one point in time for transactional tables.*each other table/,
    );
    expect(choice.warnings).toEqual([expect.stringMatching(warning)]);
  },
);

test('for tables without transactions 0.10 is told the GRANT, where the server is not of RDS or Aurora', () => {
  const warningsOf = (changed: object) =>
    chooseLocking(
      'auto',
      'classic',
      serverOf(GRANTS['a user with LOCK TABLES'], { ...MIXED, ...changed }),
    ).warnings;
  expect(warningsOf({})).toEqual([
    expect.stringMatching(/make them InnoDB, or run: GRANT RELOAD ON \*\.\* TO `b`@`%`;$/),
  ]);
  expect(warningsOf({ managedByAws: true })).toEqual([expect.stringMatching(/make them InnoDB$/)]);
});

test('ftwrl by 0.10 holds its lock until tables without transactions are read', () => {
  const server = serverOf(GRANTS['a backup user with RELOAD'], MIXED);
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
    expect(mixed.consistency).toMatch(
      /^one point in time for transactional tables.*each other table/,
    );
    expect(mixed.warnings).toEqual([
      expect.stringMatching(/: "shop\.myisam"; make them InnoDB.*0\.10/),
    ]);
  },
);
