import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
} from '../../app/observe/format.ts';
import { createSmoothedRate } from '../../app/observe/smoothed-rate.ts';
import { MIB } from './samples.ts';

test.each([
  [0, '0 B'],
  [-5, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 KiB'],
  [1.5 * MIB, '1.5 MiB'],
  [1024 * MIB - 1, '1.00 GiB'],
  [2.31 * 1024 * MIB, '2.31 GiB'],
  [3 * 1024 * 1024 * MIB, '3.00 TiB'],
])('%d bytes read %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [-1, '0.0 s'],
  [0.04, '0.0 s'],
  [0.44, '0.4 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 0 s'],
  [200, '3 min 20 s'],
  [3599.7, '1 h 0 min'],
  [7500, '2 h 5 min'],
  [90_000, '25 h 0 min'],
])('%d seconds read %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test('rates, percentages and counts', () => {
  expect(formatRate(80.1 * MIB)).toBe('80.1 MiB/s');
  expect(formatPercent(0.474)).toBe('47 %');
  expect(formatCount(1, 'file')).toBe('1 file');
  expect(formatCount(0, 'retry', 'retries')).toBe('0 retries');
});

test('a steady rate is reported from the second look on', () => {
  const rate = createSmoothedRate(10);
  expect(rate(500, 100)).toBe(0);
  expect(rate(600, 101)).toBeCloseTo(100);
  expect(rate(700, 102)).toBeCloseTo(100);
});

test('a rate lies between the slowest and the fastest of its past', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 30 }),
      (growths) => {
        const rate = createSmoothedRate(10);
        let total = 0;
        let shown = rate(total, 0);
        growths.forEach((growth, second) => {
          total += growth;
          shown = rate(total, second + 1);
        });
        expect(shown).toBeGreaterThanOrEqual(Math.min(...growths) - 1e-6);
        expect(shown).toBeLessThanOrEqual(Math.max(...growths) + 1e-6);
      },
    ),
  );
});

test('a rate falls when nothing more comes', () => {
  const rate = createSmoothedRate(10);
  rate(0, 0);
  const busy = rate(1000, 1);
  expect(rate(1000, 31)).toBeLessThan(busy / 10);
});
