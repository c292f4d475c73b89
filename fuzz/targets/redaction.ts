import assert from 'node:assert/strict';
import fc from 'fast-check';
import { oneLine, redactText } from '../../app/observe/redact.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const MARK = 'geheim7';
/** A password with the mark in it, of what a URL may hold before its last `@`. */
const secret = fc
  .tuple(
    fc.string({ unit: fc.constantFrom('a', '@', ':', '/', '%', '#', '?', '=', '&'), maxLength: 4 }),
    fc.string({ unit: fc.constantFrom('b', '@', ':', '%'), maxLength: 4 }),
  )
  .map(([before, after]) => `${before}${MARK}${after}`);

/**
 * A password in a URL, or after `password=`, is not printed in any surroundings. No text breaks a
 * line of the terminal.
 */
export const redaction: Target = {
  name: 'redaction',
  quickCases: 300,
  open: () => ({
    property: fc.property(hostileText(), secret, hostileText(), (before, password, after) => {
      for (const text of [
        `${before} mysql://root:${password}@db1:3306/${after}`,
        `${before}password=${MARK}${after}`,
      ]) {
        assert(!redactText(text).includes(MARK), redactText(text));
        assert(!/[\p{Cc}\u2028\u2029]/u.test(oneLine(text)));
      }
    }),
  }),
};
