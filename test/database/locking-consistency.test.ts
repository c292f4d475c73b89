import { expect, test } from 'vitest';
import { chooseLocking } from '../../app/database/locking.ts';
import { GRANTS } from './grant-lines.ts';
import { serverOf } from './rights.ts';

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
  '%s, %s: tables without transactions may be of a later moment, and are named',
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

test('the warning of 0.10 about MyISAM tables names the GRANT, except on RDS and Aurora', () => {
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

test('0.10 with ftwrl promises one point in time also for tables without transactions', () => {
  const server = serverOf(GRANTS['a backup user with RELOAD'], MIXED);
  expect(chooseLocking('ftwrl', 'classic', server)).toMatchObject({
    consistency: expect.stringMatching(/for all tables/),
    warnings: [],
  });
});

test.each(['ftwrl', 'lock-all', 'safe-no-lock'] as const)(
  '1.x with %s promises one point in time for transactional tables only',
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
