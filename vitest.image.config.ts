import { defineConfig } from 'vitest/config';

/** Builds the real image and runs it: `npm run test:image`. */
export default defineConfig({
  test: {
    include: ['test/image/**/*.test.ts'],
    testTimeout: 180_000,
    // The first time, the base is made: a minute or two.
    hookTimeout: 900_000,
    maxWorkers: 1,
    reporters: ['verbose'],
  },
});
