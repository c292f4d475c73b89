import { expect, test } from 'vitest';
import { shrink, subsets } from '../../chaos/shrink.ts';

test('smaller sets of faults come first, and the whole is not among them', () => {
  expect(subsets(['a', 'b', 'c'])).toEqual([
    [],
    ['a'],
    ['b'],
    ['c'],
    ['a', 'b'],
    ['a', 'c'],
    ['b', 'c'],
  ]);
});

test('the fewest faults that violate are found', async () => {
  const violates = async (faults: readonly string[]) =>
    faults.includes('a') && faults.includes('c');
  expect(await shrink(['a', 'b', 'c'], violates)).toEqual(['a', 'c']);
});

test('a violation that comes now and then gets another attempt', async () => {
  let asked = 0;
  const violates = async (faults: readonly string[]) => {
    asked += 1;
    return faults.length === 1 && asked % 2 === 0;
  };
  expect(await shrink(['a', 'b'], violates)).toEqual(['a']);
});

test('what does not happen again stays as it was drawn', async () => {
  expect(await shrink(['a', 'b'], async () => false)).toEqual(['a', 'b']);
});
