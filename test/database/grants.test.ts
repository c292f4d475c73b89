import fc from 'fast-check';
import { expect, test } from 'vitest';
import { globalPrivileges, likePattern, privilegesOn } from '../../app/database/grants.ts';

test('what is granted on everything is global, what is granted on a database is not', () => {
  const grants = [
    'GRANT SELECT, RELOAD, LOCK TABLES ON *.* TO `backup`@`%`',
    'GRANT TRIGGER, EVENT ON `shop`.* TO `backup`@`%`',
    'GRANT `role` TO `backup`@`%`',
    'GRANT SELECT (`ALL PRIVILEGES`), INSERT ON `shop`.`t` TO `backup`@`%`',
  ];
  expect([...globalPrivileges(grants)]).toEqual(['SELECT', 'RELOAD', 'LOCK TABLES']);
  expect([...privilegesOn(grants, 'shop')]).toEqual(['SELECT', 'RELOAD', 'LOCK TABLES', 'TRIGGER', 'EVENT']);
  expect(privilegesOn(grants, 'other').has('TRIGGER')).toBe(false);
});

test('a grant on a database reads _ and % as LIKE does, and a backslash takes them as they are', () => {
  const held = (level: string, name: string) =>
    privilegesOn([`GRANT TRIGGER ON \`${level}\`.* TO \`u\`@\`%\``], name).has('TRIGGER');
  expect(held('shop_1', 'shopx1')).toBe(true);
  expect(held('shop\\_1', 'shopx1')).toBe(false);
  expect(held('shop\\_1', 'shop_1')).toBe(true);
  expect(held('shop%', 'shop_eu')).toBe(true);
  expect(held('back``tick', 'back`tick')).toBe(true);
  expect(held('a.b', 'a.b')).toBe(true);
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
