import { expect, test } from 'vitest';
import { quoteAccount } from '../../app/database/names.ts';

test.each([
  ['backup@%', '`backup`@`%`'],
  ["we'ird@x@10.0.0.%", "`we'ird@x`@`10.0.0.%`"],
  ['back`tick@localhost', '`back``tick`@`localhost`'],
  ['@localhost', '``@`localhost`'],
])('the account %s is quoted as %s', (account, quoted) => {
  expect(quoteAccount(account)).toBe(quoted);
});
