import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  planBudget,
  smallestBudgetBytes,
  smallestWorkingBudgetMiB,
} from '../../app/governor/feasibility.ts';

const MIB = 1024 * 1024;
const S3_SMALLEST_PART_BYTES = 5 * MIB;

const wanted = fc.record({
  threads: fc.integer({ min: 1, max: 64 }),
  chunkMiB: fc.integer({ min: 1, max: 8192 }),
  partBytes: fc.integer({ min: 5, max: 512 }).map((mebibytes) => mebibytes * MIB),
});
const circumstances = fc.record({
  budgetBytes: fc.integer({ min: 1, max: 4096 }).map((mebibytes) => mebibytes * MIB),
  generation: fc.constantFrom('classic' as const, 'modern' as const),
  compression: fc.constantFrom('none' as const, 'gzip' as const, 'zstd' as const),
  punching: fc.boolean(),
});

test('what is planned works, is no more than was asked for, and suits S3', () => {
  fc.assert(
    fc.property(wanted, circumstances, (sizes, about) => {
      const plan = planBudget(sizes, about);
      if (plan === undefined) return;
      expect(smallestBudgetBytes(plan, about, plan.statementBytes)).toBeLessThanOrEqual(
        about.budgetBytes,
      );
      const fewest = about.generation === 'modern' ? 2 : 1;
      expect(plan.threads).toBeLessThanOrEqual(Math.max(fewest, sizes.threads));
      expect(plan.threads).toBeGreaterThanOrEqual(fewest);
      expect(plan.chunkMiB).toBeLessThanOrEqual(sizes.chunkMiB);
      expect(plan.partBytes).toBeLessThanOrEqual(sizes.partBytes);
      expect(plan.partBytes).toBeGreaterThanOrEqual(S3_SMALLEST_PART_BYTES);
      // A part may hold 1/10,000 of an object at the least. Files are not larger than S3's 5 TiB.
      expect(plan.burstBytes).toBeGreaterThan(plan.threads * plan.statementBytes);
      expect(plan.burstBytes).toBeLessThan(about.budgetBytes / 2);
    }),
  );
});

test('the notes name each changed setting, and no other', () => {
  fc.assert(
    fc.property(wanted, circumstances, (sizes, about) => {
      const plan = planBudget(sizes, about);
      if (plan === undefined) return;
      const said = plan.notes.join('\n');
      expect(/CHUNK_FILE_SIZE_MB/.test(said)).toBe(plan.chunkMiB < sizes.chunkMiB);
      expect(/THREADS/.test(said)).toBe(plan.threads !== sizes.threads);
    }),
  );
});

test('more budget never makes the plan worse', () => {
  fc.assert(
    fc.property(wanted, circumstances, (sizes, about) => {
      const plan = planBudget(sizes, about);
      const larger = planBudget(sizes, { ...about, budgetBytes: 2 * about.budgetBytes });
      if (plan === undefined) return;
      expect(larger?.threads).toBeGreaterThanOrEqual(plan.threads);
    }),
  );
});

test('the smallest budget named works, and the next smaller one does not', () => {
  fc.assert(
    fc.property(wanted, circumstances, (sizes, { budgetBytes: _, ...about }) => {
      const smallest = smallestWorkingBudgetMiB(sizes, about);
      expect(planBudget(sizes, { ...about, budgetBytes: smallest * MIB })).toBeDefined();
      if (smallest > 1)
        expect(planBudget(sizes, { ...about, budgetBytes: (smallest - 1) * MIB })).toBeUndefined();
    }),
    { numRuns: 50 },
  );
});

test('the default of 10 MiB keeps 4 threads and files of 1 MiB', () => {
  const plan = planBudget(
    { threads: 4, chunkMiB: 1, partBytes: 8 * MIB },
    { budgetBytes: 10 * MIB, generation: 'classic', compression: 'zstd', punching: true },
  );
  expect(plan).toMatchObject({ threads: 4, chunkMiB: 1, notes: [] });
});
