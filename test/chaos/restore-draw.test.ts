import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drawRestorePlan, SHAPES } from '../../chaos/restore/draw.ts';
import { RESTORE_KINDS, restoreKindOf } from '../../chaos/restore/kinds.ts';
import { databasesIn, GROUPS } from '../../chaos/restore/plan.ts';

const draws = fc.tuple(fc.integer({ min: 0, max: 2 ** 31 }), fc.integer({ min: 0, max: 10_000 }));
const holds = (property: (plan: ReturnType<typeof drawRestorePlan>) => void) =>
  fc.assert(
    fc.property(draws, ([seed, run]) => property(drawRestorePlan(seed, run))),
    { numRuns: 500 },
  );

describe('for every seed and number of a restore', () => {
  test('the same give the same plan, which is plain data', () => {
    fc.assert(
      fc.property(draws, ([seed, run]) => {
        const plan = drawRestorePlan(seed, run);
        expect(drawRestorePlan(seed, run)).toEqual(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(JSON.parse(JSON.stringify(plan)));
      }),
    );
  });

  test('one to four different faults strike the first two attempts, each at its moments', () => {
    holds(({ faults }) => {
      expect(faults.length).toBeGreaterThanOrEqual(1);
      expect(faults.length).toBeLessThanOrEqual(4);
      expect(new Set(faults.map(({ kind }) => kind)).size).toBe(faults.length);
      expect(faults[0]?.attempt).toBe(0);
      for (const { kind, moment, attempt } of faults) {
        expect(restoreKindOf(kind).moments).toContain(moment);
        expect([0, 1]).toContain(attempt);
      }
    });
  });

  test('connections and commits are within their limits, tables have different names', () => {
    holds(({ threads, transactionMiB, shape }) => {
      expect([1, 2, 3, 4, 5, 6]).toContain(threads);
      expect(transactionMiB).toBeGreaterThanOrEqual(1);
      expect(transactionMiB).toBeLessThanOrEqual(16);
      const names = shape.tables.map(({ database, name }) => `${database}.${name}`);
      expect(new Set(names).size).toBe(names.length);
      expect(databasesIn(shape)).toContain('shop');
    });
  });

  test('what fails for good does not retry for long', () => {
    holds(({ faults, retrySeconds }) => {
      if (faults.some(({ kind }) => restoreKindOf(kind).lasting)) expect(retrySeconds).toBe(2);
    });
  });
});

test('a hundred runs share a few backups, and hold every kind of fault', () => {
  const plans = Array.from({ length: 100 }, (_, run) => drawRestorePlan(1, run));
  expect(new Set(plans.map(({ shape }) => JSON.stringify(shape))).size).toBe(SHAPES);
  const drawn = new Set(plans.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
  expect([...drawn].toSorted()).toEqual(Object.keys(RESTORE_KINDS).toSorted());
});

test('a few seeds hold tables of both engines, with and without a key, and every group', () => {
  const tables = Array.from({ length: 8 }, (_, seed) => seed).flatMap((seed) =>
    Array.from({ length: 20 }, (_, run) => drawRestorePlan(seed, run)).flatMap(
      ({ shape }) => shape.tables,
    ),
  );
  const all = (facts: unknown[]) => new Set(facts.filter((fact) => fact !== undefined));
  expect(all(tables.map(({ engine }) => engine))).toEqual(new Set(['InnoDB', 'MyISAM']));
  expect(all(tables.map(({ key }) => key))).toEqual(new Set(['primary', 'counter', 'none']));
  expect(all(tables.map(({ group }) => group))).toEqual(new Set(GROUPS));
});
