import { expect, test } from 'vitest';
import type { LockMode } from '../../app/config.ts';
import { chooseLocking } from '../../app/database/locking.ts';
import { Failure } from '../../app/errors.ts';
import type { LockPlan } from '../../app/mydumper/arguments.ts';
import { both, GRANTS, type Who } from './grant-lines.ts';
import { serverOf } from './rights.ts';

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

test.each(both(UNABLE))('auto, %s: %s is refused, with the remedy', (generation, who) => {
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
  '%s: a user with the privilege gets %s on request',
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
)('%s: %s requested by %s is refused, with the GRANT to run', (generation, mode, who, message) => {
  const choose = () => chooseLocking(mode, generation, serverOf(GRANTS[who]));
  expect(choose).toThrow(expect.objectContaining({ kind: 'preflight' }));
  expect(choose).toThrow(message);
  expect(choose).toThrow(/or set LOCK_MODE=auto$/);
});

test('ftwrl requested on RDS or Aurora is refused, regardless of grants', () => {
  const choose = () =>
    chooseLocking('ftwrl', 'modern', serverOf(GRANTS['root of MySQL 8'], { managedByAws: true }));
  expect(choose).toThrow(/LOCK_MODE="ftwrl": RDS and Aurora refuse.*lock-all/);
});

// RDS grants RELOAD to its master user and still refuses FLUSH TABLES WITH READ LOCK.
test.each(both([['root of MySQL 8'], ['a backup user with RELOAD']] as const))(
  'auto, %s: %s on RDS and Aurora gets lock-all despite RELOAD',
  (generation, who) => {
    const choice = chooseLocking('auto', generation, serverOf(GRANTS[who], { managedByAws: true }));
    expect(choice.plan).toBe('lock-all');
    expect(choice.reason).toMatch(/RDS and Aurora refuse/);
  },
);

test('auto: on RDS a user with FLUSH_TABLES alone is refused, naming LOCK TABLES', () => {
  const server = serverOf(GRANTS['a MySQL 8 user with FLUSH_TABLES'], { managedByAws: true });
  expect(() => chooseLocking('auto', 'modern', server)).toThrow(
    /may not lock tables \(LOCK TABLES\)/,
  );
});

test('auto: a user without LOCK TABLES on some databases is refused, naming these', () => {
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
