import { expect, test } from 'vitest';
import { readOptions } from '../../chaos/options.ts';

test('ten runs of seed 1 by default', () => {
  expect(readOptions([])).toEqual({
    restore: false,
    seed: 1,
    runs: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    faults: undefined,
    shrink: true,
    log: false,
    json: false,
  });
});

test('one run alone, with some of its faults', () => {
  expect(readOptions(['--seed', '3', '--only', '54', '--faults', '0,2', '--log'])).toMatchObject({
    seed: 3,
    runs: [54],
    faults: [0, 2],
    log: true,
  });
});

test('one run without any fault', () => {
  expect(readOptions(['--only', '1', '--faults', 'none'])).toMatchObject({ faults: [] });
});

test.each([
  ['--runs', 'many'],
  ['--runs', '0'],
  ['--seed', '-1'],
  ['--only', ''],
  ['--faults', '0,x'],
  ['--run', '1'],
])('%s "%s" is refused', (name, value) => {
  expect(() => readOptions([`${name}=${value}`])).toThrow(name);
});

test('help is no run', () => {
  expect(readOptions(['--help'])).toBeUndefined();
});
