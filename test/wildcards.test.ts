import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ANY, ONE, wildcardPattern } from '../app/wildcards.ts';

const parts = (pattern: string) =>
  Array.from(pattern, (part) => (part === '*' ? ANY : part === '?' ? ONE : part));

test('a pattern matches what the regular expression of the same meaning matches', () => {
  const letters = { unit: fc.constantFrom('a', 'b', '🐬'), maxLength: 12 };
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '🐬'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, fc.string(letters), (written, text) => {
      const source = written.replaceAll('*', '[^]*').replaceAll('?', '[^]');
      expect(wildcardPattern(parts(written)).test(text)).toBe(
        new RegExp(`^${source}$`, 'u').test(text),
      );
    }),
    { numRuns: 500 },
  );
});

test('each `*` of a pattern costs as much as the first', () => {
  const many = '*a'.repeat(32);
  expect(wildcardPattern(parts(`${many}b`)).test('a'.repeat(100_000))).toBe(false);
  expect(wildcardPattern(parts(`${many}*`)).test('a'.repeat(100_000))).toBe(true);
});
