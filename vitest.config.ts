import { defineConfig } from 'vitest/config';

/**
 * Tests of the CDK app share one process: loading aws-cdk-lib takes seconds, and they change
 * nothing that others see.
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
    // A snapshot that is missing fails. Written on purpose only: npx vitest run <file> --update.
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
          // Starting a process and loading the same modules for each of a hundred files takes
          // longer than most of them do. They undo what they change: timers, environment,
          // processes, directories.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'mocking', include: [MOCKING] } },
      { extends: true, test: { name: 'infra', include: [INFRA], isolate: false } },
    ],
  },
});
