import fc from 'fast-check';
import { test } from 'vitest';
import { targets } from '../../fuzz/targets.ts';

/** The same few cases each time; `npm run fuzz` tries others. */
const SEED = 1;

test.each(targets)('hostile input: $name', async ({ open, quickCases }) => {
  const { property, close } = await open();
  try {
    await fc.assert(property, { seed: SEED, numRuns: quickCases });
  } finally {
    await close?.();
  }
});
