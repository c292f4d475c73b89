import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  globalPrivileges,
  holds,
  likePattern,
  normaliseGrant,
  privilegesOn,
  rolesOf,
} from '../../app/database/grants.ts';
import { GRANTS, type Who } from './grant-lines.ts';

test('a grant on everything is global, a grant on a database is not', () => {
  const grants = [
    'GRANT SELECT, RELOAD, LOCK TABLES ON *.* TO `backup`@`%`',
    'GRANT TRIGGER, EVENT ON `shop`.* TO `backup`@`%`',
    'GRANT `role` TO `backup`@`%`',
    'GRANT SELECT (`ALL PRIVILEGES`), INSERT ON `shop`.`t` TO `backup`@`%`',
  ];
  expect([...globalPrivileges(grants)]).toEqual(['SELECT', 'RELOAD', 'LOCK TABLES']);
  expect([...privilegesOn(grants, 'shop')]).toEqual([
    'SELECT',
    'RELOAD',
    'LOCK TABLES',
    'TRIGGER',
    'EVENT',
  ]);
  expect(privilegesOn(grants, 'other').has('TRIGGER')).toBe(false);
});

test('a grant on a database reads _ and % as LIKE does, unless a backslash escapes them', () => {
  const held = (level: string, name: string) =>
    privilegesOn([`GRANT TRIGGER ON \`${level}\`.* TO \`u\`@\`%\``], name).has('TRIGGER');
  expect(held('shop_1', 'shopx1')).toBe(true);
  expect(held('shop\\_1', 'shopx1')).toBe(false);
  expect(held('shop\\_1', 'shop_1')).toBe(true);
  expect(held('shop%', 'shop_eu')).toBe(true);
  expect(held('back``tick', 'back`tick')).toBe(true);
  expect(held('a.b', 'a.b')).toBe(true);
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

test('a name without special characters finds itself only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, other) => {
      fc.pre(!/[%_\\]/.test(name));
      expect(likePattern(name).test(name)).toBe(true);
      expect(likePattern(name).test(other)).toBe(name === other);
    }),
  );
});

test('any pattern is a valid one', () => {
  fc.assert(fc.property(fc.string(), (pattern) => likePattern(pattern).test('x') !== undefined));
});

test('privileges on one table hold there, privileges on columns nowhere', () => {
  const grants = [
    'GRANT INSERT, SELECT ON `shop`.`orders` TO `u`@`%`',
    'GRANT SELECT (`id`, `a,b)`), TRIGGER ON `shop`.`audit` TO `u`@`%`',
    'GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`',
  ];
  expect(holds(grants, ['SELECT'], 'shop', 'orders')).toBe(true);
  expect(holds(grants, ['SELECT'], 'shop', 'audit')).toBe(false);
  expect(holds(grants, ['TRIGGER'], 'shop', 'audit')).toBe(true);
  expect(holds(grants, ['SELECT', 'EXECUTE'], 'shop')).toBe(false);
});

test('a privilege that a partial revoke takes back does not hold on that database', () => {
  const grants = [
    'GRANT SELECT, EVENT ON *.* TO `u`@`%`',
    'GRANT SHOW_ROUTINE ON *.* TO `u`@`%`',
    'REVOKE SELECT ON `mysql`.* FROM `u`@`%`',
  ];
  expect([...privilegesOn(grants, 'mysql')]).toEqual(['EVENT', 'SHOW_ROUTINE']);
  expect(holds(grants, ['SELECT'], 'shop')).toBe(true);
  expect(globalPrivileges(grants).has('SELECT')).toBe(true);
});

// Measured on MariaDB 10.11 and 11.8 and MySQL 9: the server stops at the first grant that matches.
test('of several patterns that match, only the most specific one gives its grants', () => {
  const user = (level: string, name: string) => `GRANT ${name} ON \`${level}\`.* TO \`u\`@\`%\``;
  expect([...privilegesOn([user('sh%', 'SELECT'), user('shop', 'LOCK TABLES')], 'shop')]).toEqual([
    'LOCK TABLES',
  ]);
  expect([...privilegesOn([user('sh%', 'SELECT'), user('sho_', 'EVENT')], 'shop')]).toEqual([
    'EVENT',
  ]);
  expect([...privilegesOn([user('sh%', 'SELECT'), user('sho\\_', 'EVENT')], 'sho_')]).toEqual([
    'EVENT',
  ]);
  const role = 'GRANT SELECT ON `sh%`.* TO `r`';
  expect([...privilegesOn([role, user('shop', 'EVENT')], 'shop')].toSorted()).toEqual([
    'EVENT',
    'SELECT',
  ]);
});

test("MariaDB's roles and PUBLIC count as the user's own", () => {
  const grants = [
    'GRANT `r_out` TO `u`@`%`',
    'GRANT USAGE ON *.* TO `u`@`%`',
    'GRANT `r_in` TO `r_out`',
    'GRANT SELECT ON `shop`.* TO `r_out`',
    'GRANT RELOAD ON *.* TO `r_in`',
    'GRANT PROCESS ON *.* TO PUBLIC',
    'SET DEFAULT ROLE `r_out` FOR `u`@`%`',
  ];
  expect([...globalPrivileges(grants)]).toEqual(['USAGE', 'RELOAD', 'PROCESS']);
  expect(holds(grants, ['SELECT'], 'shop')).toBe(true);
  expect(rolesOf(grants, '`u`@`%`')).toEqual(['`r_out`']);
});

test("MySQL's roles are read from one line", () => {
  const grants = ['GRANT `r``,x`@`%`,`s`@`%` TO `u`@`%`', 'GRANT PROXY ON ``@`` TO `u`@`%`'];
  expect(rolesOf(grants, '`u`@`%`')).toEqual(['`r``,x`@`%`', '`s`@`%`']);
  expect(rolesOf(grants, '`other`@`%`')).toEqual([]);
});

test('names may hold the separators of a line', () => {
  const odd = 'a` ON `b`.* TO `c, IDENTIFIED BY (';
  const quoted = `\`${odd.replaceAll('`', '``')}\``;
  const line = `GRANT SELECT, EVENT ON ${quoted}.* TO \`u\`@\`%\` IDENTIFIED BY PASSWORD '*HASH'`;
  const shown = normaliseGrant(line, false);
  expect(shown).toBe(`GRANT SELECT, EVENT ON ${quoted}.* TO \`u\`@\`%\``);
  expect(holds([shown], ['EVENT'], odd)).toBe(true);
  expect(holds([shown], ['EVENT'], 'b')).toBe(false);
});

test('with partial_revokes on names of databases are no patterns', () => {
  const grants = [
    'GRANT SELECT ON `sh_p`.* TO `u`@`%`',
    'GRANT SELECT ON `a\\_b`.* TO `u`@`%`',
  ].map((line) => normaliseGrant(line, true));
  expect(holds(grants, ['SELECT'], 'sh_p')).toBe(true);
  expect(holds(grants, ['SELECT'], 'shop')).toBe(false);
  expect(holds(grants, ['SELECT'], 'a\\_b')).toBe(true);
  expect(holds(grants, ['SELECT'], 'a_b')).toBe(false);
});

test('any line is read in time, and any database is found under its own grant', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), fc.string(), (name, other) => {
      const quoted = `\`${name.replaceAll('`', '``').replace(/[\\_%]/g, '\\$&')}\``;
      expect(holds([`GRANT TRIGGER ON ${quoted}.* TO \`u\`@\`%\``, other], ['TRIGGER'], name)).toBe(
        true,
      );
    }),
  );
});
