import { defineConfig } from 'vitest/config';

/**
 * Tests of the CDK app share one process: loading aws-cdk-lib takes seconds, and they change no
 * shared state.
 */
const INFRA = 'test/infra/**/*.test.ts';
/** Replaces modules, and other files of its process would get them. */
const MOCKING = 'test/storage/retry.test.ts';

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Each end-to-end test starts servers of its own; two at a time is what two cores carry.
    maxWorkers: 2,
    // A missing snapshot fails the test. To write one on purpose: npx vitest run <file> --update.
    update: 'none',
    projects: [
      {
        extends: true,
        test: {
          name: 'app',
          include: ['test/**/*.test.ts'],
          // The image test builds an image first: npm run test:image.
          exclude: [INFRA, MOCKING, 'test/image/**'],
          fileParallelism: true,
          // For most of a hundred files, starting a process and loading the modules takes longer
          // than the tests. The tests restore timers, environment, processes and directories.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'mocking', include: [MOCKING] } },
      { extends: true, test: { name: 'infra', include: [INFRA], isolate: false } },
    ],
  },
});
