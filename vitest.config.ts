import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Builds an image first: npm run test:image.
    exclude: ['test/image/**'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each end-to-end test starts servers of its own; two at a time is what two cores carry.
    maxWorkers: 2,
    fileParallelism: true,
  },
});
