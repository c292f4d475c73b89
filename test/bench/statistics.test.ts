import { expect, test } from 'vitest';
import { fitLine, median, spread, thin } from '../../bench/statistics.ts';

test('the median of an odd number is the one in the middle, of an even number between two', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
  expect(median([])).toBeNaN();
});

test('spread', () => {
  expect(spread([3, 9, 4])).toEqual({ median: 4, least: 3, most: 9 });
});

test('the line through points on a line leaves no residuals', () => {
  const fit = fitLine([1, 2, 5].map((x) => ({ x, y: 3 + 2 * x })));
  expect(fit?.slope).toBeCloseTo(2);
  expect(fit?.intercept).toBeCloseTo(3);
  for (const residual of fit?.residuals ?? []) expect(residual).toBeCloseTo(0);
});

test('residuals are what was measured less what the line says', () => {
  const fit = fitLine([
    { x: 0, y: 0 },
    { x: 1, y: 3 },
    { x: 2, y: 0 },
  ]);
  expect(fit?.slope).toBeCloseTo(0);
  expect(fit?.residuals.map((residual) => Math.round(residual))).toEqual([-1, 2, -1]);
});

test('there is no line through one point, nor through points above each other', () => {
  expect(fitLine([{ x: 1, y: 1 }])).toBeUndefined();
  expect(
    fitLine([
      { x: 1, y: 1 },
      { x: 1, y: 2 },
    ]),
  ).toBeUndefined();
});

test('thinning keeps the peaks', () => {
  const points = Array.from({ length: 1000 }, (_, index) => (index === 517 ? 99 : index % 7));
  const few = thin(points, 50, (value) => value);
  expect(few).toHaveLength(50);
  expect(Math.max(...few)).toBe(99);
  expect(thin([1, 2], 50, (value) => value)).toEqual([1, 2]);
});
