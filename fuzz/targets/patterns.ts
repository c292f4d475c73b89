import assert from 'node:assert/strict';
import fc from 'fast-check';
import { likePattern } from '../../app/database/grants.ts';
import { databaseRegex } from '../../app/mydumper/database-regex.ts';
import { ANY, ONE, wildcardPattern } from '../../app/wildcards.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const letters = (unit: readonly string[]) =>
  fc.string({ unit: fc.constantFrom(...unit), maxLength: 10 });

/** Patterns of tables, of grants and of databases match what they say and nothing else. */
export const patterns: Target = {
  name: 'patterns',
  quickCases: 200,
  open: () => ({
    property: fc.property(
      letters(['a', 'b', '*', '?']),
      letters(['a', 'b', '.']),
      hostileText(6),
      hostileText(6),
      (glob, text, one, other) => {
        const source = glob.replaceAll('*', '[^]*').replaceAll('?', '[^]');
        const parts = Array.from(glob, (part) => (part === '*' ? ANY : part === '?' ? ONE : part));
        assert.equal(wildcardPattern(parts).test(text), new RegExp(`^${source}$`).test(text));
        const escaped = one.replace(/[\\%_]/g, '\\$&');
        assert.equal(likePattern(escaped).test(other), [...one].join('') === [...other].join(''));
        assert(likePattern(escaped).test(one));
        if (one === '' || !one.isWellFormed() || one.includes('\0')) return;
        // The pattern is for PCRE. JavaScript has no \A and \z, which stand at its beginning and
        // end.
        const [, inner] = /^\\A([\s\S]*)\|\\z\)\)$/.exec(databaseRegex([one])) ?? [];
        const regex = new RegExp(`^${inner}|$))`);
        assert(regex.test(one));
        assert(regex.test(`${one}.t`));
        assert(!regex.test(`x${one}.t`) || `x${one}.t`.startsWith(`${one}.`));
      },
    ),
  }),
};
