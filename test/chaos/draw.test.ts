import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawPlan } from '../../chaos/draw.ts';
import { KINDS, kindOf } from '../../chaos/kinds.ts';
import { dumpedBytesOf, VICTIM } from '../../chaos/plan.ts';

const MIB = 1024 * 1024;
const draws = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 10_000 }));
const holds = (property: (plan: ReturnType<typeof drawPlan>) => void) =>
  fc.assert(
    fc.property(draws, ([seed, run]) => property(drawPlan(seed, run))),
    { numRuns: 500 },
  );

describe('for every seed and number', () => {
  test('the same give the same plan, which is plain data', () => {
    fc.assert(
      fc.property(draws, ([seed, run]) => {
        const plan = drawPlan(seed, run);
        expect(drawPlan(seed, run)).toEqual(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(
          JSON.parse(JSON.stringify(drawPlan(seed, run))),
        );
      }),
    );
  });

  test('one to three different faults strike, each at a moment it can strike at', () => {
    holds(({ faults }) => {
      expect(faults.length).toBeGreaterThanOrEqual(1);
      expect(faults.length).toBeLessThanOrEqual(3);
      expect(new Set(faults.map(({ kind }) => kind)).size).toBe(faults.length);
      for (const { kind, moment } of faults) expect(kindOf(kind).moments).toContain(moment);
    });
  });

  test('databases are small, and hold the table that faults drop', () => {
    holds((plan) => {
      expect(dumpedBytesOf(plan)).toBeLessThan(30 * MIB);
      expect(plan.tables).toContainEqual(expect.objectContaining(VICTIM));
      const names = plan.tables.map(({ database, name }) => `${database}.${name}`);
      expect(new Set(names).size).toBe(names.length);
    });
  });

  test('only a disk that is to be filled is small, and it is larger than the budget', () => {
    holds(({ faults, smallDiskMiB, budgetMiB }) => {
      expect(smallDiskMiB !== undefined).toBe(faults.some(({ kind }) => kind === 'disk-full'));
      expect(smallDiskMiB ?? Number.POSITIVE_INFINITY).toBeGreaterThan(budgetMiB);
    });
  });

  test('what fails for good does not retry for long', () => {
    holds(({ faults, retrySeconds }) => {
      if (faults.some(({ kind }) => kindOf(kind).lasting))
        expect(retrySeconds).toBeLessThanOrEqual(2);
    });
  });
});

test('a hundred runs hold every kind of fault, and many that upload in parts', () => {
  const plans = Array.from({ length: 100 }, (_, run) => drawPlan(1, run));
  const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect([...drawn].toSorted()).toEqual(Object.keys(KINDS).toSorted());
  expect(plans.filter(({ chunkMiB }) => chunkMiB >= 32).length).toBeGreaterThan(40);
});

test('one seed is not another', () => {
  expect(drawPlan(1, 0)).not.toEqual({ ...drawPlan(2, 0), seed: 1 });
});
