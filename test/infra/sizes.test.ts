import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planBudget } from '../../app/governor/feasibility.ts';
import { LARGEST_STORAGE_GIB, SMALLEST_STORAGE_GIB } from '../../infra/config-source.ts';
import {
  deriveLimits,
  IMAGE_RESERVE_MIB,
  memoryNeedMiB,
  mistakesInSizes,
  stagingLimitMiB,
  type TaskSizes,
} from '../../infra/sizes.ts';

const MIB = 1024 * 1024;
const NORMAL: TaskSizes = {
  cpu: 1024,
  memoryMiB: 4096,
  ephemeralStorageGiB: 21,
  threads: 4,
  chunkFileSizeMiB: 256,
  compression: 'zstd',
};

const sizes: fc.Arbitrary<TaskSizes> = fc.record({
  cpu: fc.constantFrom(256, 512, 1024, 2048, 4096, 8192, 16_384),
  memoryMiB: fc.integer({ min: 1, max: 16 }).map((quarter) => quarter * 2048),
  ephemeralStorageGiB: fc.integer({ min: SMALLEST_STORAGE_GIB, max: LARGEST_STORAGE_GIB }),
  threads: fc.integer({ min: 1, max: 64 }),
  chunkFileSizeMiB: fc.integer({ min: 1, max: 1024 }),
  compression: fc.constantFrom('none', 'gzip', 'zstd'),
});

test('accepted sizes fit: storage, memory, and a budget that the program keeps', () => {
  let accepted = 0;
  fc.assert(
    fc.property(sizes, (size) => {
      if (mistakesInSizes(size).length > 0) return;
      accepted += 1;
      const limits = deriveLimits(size);
      if (limits === undefined) throw new Error('accepted without limits');
      expect(limits.stagingLimitMiB).toBeLessThanOrEqual(
        size.ephemeralStorageGiB * 1024 - IMAGE_RESERVE_MIB,
      );
      expect(limits.stagingLimitMiB).toBeLessThanOrEqual(0.9 * size.ephemeralStorageGiB * 1024);
      expect(memoryNeedMiB(size, limits)).toBeLessThan(size.memoryMiB);
      expect(limits.partSizeMiB).toBeGreaterThanOrEqual(5);
      expect(limits.uploadConcurrency).toBeGreaterThanOrEqual(2);
      for (const generation of ['classic', 'modern'] as const) {
        for (const punching of [true, false]) {
          const plan = planBudget(
            {
              threads: size.threads,
              chunkMiB: size.chunkFileSizeMiB,
              partBytes: limits.partSizeMiB * MIB,
            },
            {
              budgetBytes: limits.stagingLimitMiB * MIB,
              generation,
              compression: size.compression,
              punching,
            },
          );
          expect(plan).toMatchObject({
            threads: size.threads,
            chunkMiB: size.chunkFileSizeMiB,
            notes: [],
          });
        }
      }
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});

test('the smallest and the largest storage', () => {
  expect(stagingLimitMiB(21)).toBe(16_281);
  expect(stagingLimitMiB(200)).toBe(181_248);
});

test.each<[string, Partial<TaskSizes>, RegExp]>([
  [
    'a number of CPU units that Fargate has not',
    { cpu: 1000 },
    /^cpu: 1000 is not one of Fargate's: 256, 512/,
  ],
  [
    'memory that does not go with the CPU units',
    { memoryMiB: 16_384 },
    /^memoryMiB: with 1024 CPU units Fargate has 2048 to 8192 MiB in steps of 1024, not 16384/,
  ],
  [
    'more threads than memory',
    { cpu: 256, memoryMiB: 512 },
    /^memoryMiB: 512 are too few for 4 threads; at least \d+ are needed/,
  ],
  [
    'more threads and larger files than storage',
    { threads: 16, chunkFileSizeMiB: 4096, memoryMiB: 8192 },
    new RegExp(
      '^chunkFileSizeMiB: 16 threads with files of 4096 MiB do not fit into a staging ' +
        'budget of 16281 MiB; .* would',
    ),
  ],
])('%s is refused with what would work', (_case, change, message) => {
  expect(mistakesInSizes({ ...NORMAL, ...change })).toEqual([expect.stringMatching(message)]);
});
