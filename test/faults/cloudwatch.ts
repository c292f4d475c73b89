import type { FailureMode } from '../support/cloudwatch.ts';
import type { FaultCase } from './case.ts';

const UNCHANGED = 'a good backup; one warning reports that metrics are missing';

function unavailable(mode: FailureMode, fault: string, more: Partial<FaultCase> = {}): FaultCase {
  return {
    id: `cloudwatch-${mode}`,
    fault,
    outcome: UNCHANGED,
    exits: [0],
    withoutMetrics: true,
    run: async ({ world, start }) => {
      world.cloudwatch.fail(mode);
      return start();
    },
    check: async (_setting, log) => requireWarnings(log, 1),
    ...more,
  };
}

function requireWarnings(log: readonly Record<string, unknown>[], count: number): void {
  const warnings = log.filter(
    ({ event, message }) => event === 'warning' && /CloudWatch/.test(String(message)),
  );
  if (warnings.length !== count)
    throw new Error(`${warnings.length} warnings of CloudWatch, not ${count}`);
}

export const cloudwatchFaults: readonly FaultCase[] = [
  unavailable('error', '500 to everything', { soak: true }),
  unavailable('throttle', 'throttling everything'),
  unavailable('hang', 'takes requests and never answers', { soak: true }),
  unavailable('slow', 'answers after two seconds', {
    outcome: 'a good backup, and its metrics',
    check: async ({ world }, log) => {
      requireWarnings(log, 0);
      if (world.cloudwatch.sum('BackupSucceeded') !== 1)
        throw new Error('BackupSucceeded is missing');
    },
  }),
  unavailable('none', 'nothing listening at its endpoint', {
    id: 'cloudwatch-nothing-listening',
    run: async ({ start }) => start({ AWS_ENDPOINT_URL_CLOUDWATCH: 'http://127.0.0.1:1' }),
  }),
  unavailable('none', 'a name that has no address', {
    id: 'cloudwatch-dns',
    soak: true,
    run: async ({ start }) =>
      start({ AWS_ENDPOINT_URL_CLOUDWATCH: 'http://no-such-host.invalid:9000' }),
  }),
  unavailable('error', '500 to everything, while the backup fails', {
    id: 'cloudwatch-and-failure',
    outcome: 'the backup’s own failure, with its own exit code and reason',
    exits: [4],
    reason: /mydumper was killed by SIGKILL/,
    run: async (setting) => {
      setting.world.cloudwatch.fail('error');
      const program = await setting.inTheMiddle();
      for (const pid of setting.mydumper()) process.kill(pid, 'SIGKILL');
      return program;
    },
  }),
];
