import { defineConfig } from 'vitest/config';

/** What takes minutes: `npm run soak`. */
export default defineConfig({
  test: {
    include: ['soak/**/*.test.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 3_600_000,
    maxWorkers: 1,
    isolate: true,
    reporters: ['verbose'],
  },
});
