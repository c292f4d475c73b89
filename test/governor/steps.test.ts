import { expect, test } from 'vitest';
import { createStepMeter, judgeStep } from '../../app/governor/steps.ts';

const MIB = 1024 * 1024;
const step = (bytes: number, peakStagedBytes: number) => ({
  bytes,
  largest: { name: 'shop.wide.sql', bytes },
  peakStagedBytes,
});

test('a step of any size within the budget fits', () => {
  expect(judgeStep(step(9 * MIB, 10 * MIB), 10 * MIB, MIB)).toEqual({ kind: 'fits' });
});

test('a row over the budget that fits into empty staging is only reported', () => {
  const verdict = judgeStep(step(4 * MIB, 11 * MIB), 10 * MIB, MIB);
  expect(verdict).toMatchObject({
    kind: 'exceeded',
    reason: expect.stringContaining('shop.wide.sql'),
  });
});

test('a row that never fits is the end, naming file, size and a budget that is enough', () => {
  const verdict = judgeStep(step(20 * MIB, 21 * MIB), 10 * MIB, MIB);
  expect(verdict.kind).toBe('hopeless');
  expect(verdict).toMatchObject({
    reason: expect.stringMatching(/shop\.wide\.sql.*20971520.*STAGING_LIMIT_MB to 41/),
  });
});

test('a meter adds up what each file grew by from the beginning of a step to its end', () => {
  const meter = createStepMeter();
  meter.look({ name: 'before', bytes: 99 }, 99);
  expect(meter.end(99)).toBeUndefined();
  meter.begin(100);
  meter.look({ name: 'a', bytes: 3 }, 103);
  meter.look({ name: 'b', bytes: 4 }, 107);
  meter.look({ name: 'a', bytes: 3 }, 50);
  expect(meter.end(110)).toEqual({
    bytes: 10,
    largest: { name: 'a', bytes: 6 },
    peakStagedBytes: 107,
  });
  expect(meter.end(110)).toBeUndefined();
  meter.begin(110);
  expect(meter.end(111)).toEqual({ bytes: 1, largest: { name: '', bytes: 0 }, peakStagedBytes: 0 });
  expect(meter.largestBytes()).toBe(10);
});
