import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestGapHours } from '../../infra/cron.ts';

test.each([
  ['rate(12 hours)', 12],
  ['rate(1 day)', 24],
  ['rate(90 minutes)', 1.5],
  ['cron(0 3 * * ? *)', 24],
  ['cron(0/30 * * * ? *)', 0.5],
  ['cron(15 2,14 * * ? *)', 12],
  ['cron(0 3 ? * MON-FRI *)', 72],
  ['cron(0 3 ? * SUN *)', 168],
  ['cron(0 3 1 * ? *)', 31 * 24],
])('%s runs every %s hours at the least', (expression, hours) => {
  expect(longestGapHours(expression)).toBe(hours);
});

test.each([
  ['every day', /must be cron\(/],
  ['rate(1 hours)', /write 1 minute/],
  ['rate(5 hour)', /write 1 minute/],
  ['cron(0 3 * * * *)', /exactly one of day-of-month and day-of-week must be \?/],
  ['cron(0 3 ? * ? *)', /exactly one of/],
  ['cron(0 25 * * ? *)', /"25" is not from 0 to 23/],
  ['cron(0 3 L * ? *)', /without L, W and #/],
  ['cron(0 3 * * ? 2030)', /the year must be \*/],
  ['cron(0 3 30 FEB ? *)', /less than twice/],
  ['cron(0 5-3 * * ? *)', /ends before it begins/],
  ['cron(0/x 3 * * ? *)', /no whole number after the slash/],
])('%s is refused with the reason', (expression, reason) => {
  expect(() => longestGapHours(expression)).toThrow(reason);
});

test('runs at a few hours of each day are as far apart as the hours, also over midnight', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 0, max: 23 }), { minLength: 1, maxLength: 8 }),
      (hours) => {
        const sorted = hours.toSorted((a, b) => a - b);
        const gaps = sorted.map(
          (hour, index) => (sorted[index + 1] ?? (sorted[0] ?? 0) + 24) - hour,
        );
        expect(longestGapHours(`cron(0 ${hours.join(',')} * * ? *)`)).toBe(Math.max(...gaps));
      },
    ),
    { numRuns: 50 },
  );
});
