import { setTimeout as sleep } from 'node:timers/promises';
import { processesWith } from '../support/processes.ts';
import { ALWAYS, type FaultCase } from './case.ts';
import { CLAIMS } from './s3-strikes.ts';
import { type Setting, until } from './setting.ts';

/** What Fargate is promised. */
const SHUTDOWN_SECONDS = 20;
const ENDED = 'ends within 20 s';
const INTERRUPTED = { SIGTERM: [143], SIGINT: [130] } as const;

function interrupted(
  signal: 'SIGTERM' | 'SIGINT',
  id: string,
  when: string,
  run: FaultCase['run'],
): FaultCase {
  return {
    id: `process-${signal.toLowerCase()}${id}`,
    fault: `${signal} ${when}`,
    outcome: ENDED,
    exits: INTERRUPTED[signal],
    reason: new RegExp(`^interrupted by ${signal}$`),
    longestSeconds: SHUTDOWN_SECONDS,
    run,
  };
}

const inTheMiddle = (signal: 'SIGTERM' | 'SIGINT') =>
  interrupted(signal, '', 'in the middle of the dump', async (setting) => {
    const program = await setting.inTheMiddle();
    program.child.kill(signal);
    return program;
  });

/** The kernel says that mydumper stands still, which no signal but SIGKILL ends. */
async function isStopped({ world }: Setting): Promise<void> {
  const states = () => processesWith(`--outputdir=${world.staging}`).map(({ state }) => state);
  await until('mydumper is stopped', () => states().join() === 'T');
}

export const processFaults: readonly FaultCase[] = [
  inTheMiddle('SIGTERM'),
  inTheMiddle('SIGINT'),
  interrupted('SIGTERM', '-in-preflight', 'before anything starts', async ({ start, strike }) => {
    const stall = strike({
      operation: 'CreateMultipartUpload',
      action: { kind: 'stall', milliseconds: 600_000 },
    });
    const program = start();
    await until('the preflight has come to S3', () => stall.hits > 0);
    program.child.kill('SIGTERM');
    return program;
  }),
  interrupted('SIGTERM', '-in-claim', 'while S3 does not answer the claim', async (setting) => {
    const action = { kind: 'stall', milliseconds: 600_000 } as const;
    const stall = setting.strike({ operation: 'PutObject', key: /claim\.json$/, action });
    const program = setting.start();
    await until('the claim is being written', () => stall.hits > 0);
    program.child.kill('SIGTERM');
    return program;
  }),
  interrupted(
    'SIGTERM',
    '-at-the-end',
    'when mydumper has ended and files still go up',
    async ({ start, world }) => {
      world.s3.setBandwidth(4e6);
      const program = start();
      await program.printed('"event":"dumpFinished"');
      program.child.kill('SIGTERM');
      return program;
    },
  ),
  {
    ...interrupted(
      'SIGTERM',
      '-twice',
      'twice, the second while the first is being answered',
      async (setting) => {
        const program = await setting.inTheMiddle();
        setting.world.cloudwatch.fail('hang');
        program.child.kill('SIGTERM');
        await program.printed('"event":"failed"');
        program.child.kill('SIGTERM');
        return program;
      },
    ),
    outcome: 'ends at once',
    withoutMetrics: true,
  },
  {
    ...interrupted('SIGTERM', '-then-sigint', 'and SIGINT right after it', async (setting) => {
      const program = await setting.inTheMiddle();
      program.child.kill('SIGTERM');
      program.child.kill('SIGINT');
      return program;
    }),
    outcome: 'ends at once; what it had no time to clear is for the next run',
    exits: [143, 130],
    abrupt: true,
    withoutMetrics: true,
  },
  {
    id: 'process-sigkill',
    fault: 'SIGKILL in the middle, then the next run',
    outcome: 'no mydumper stays behind; the next run clears what was left and makes a good backup',
    exits: [0],
    run: async (setting) => {
      const program = await setting.inTheMiddle();
      await isStopped(setting);
      program.child.kill('SIGKILL');
      await program.ended;
      await until('mydumper is gone', () => setting.mydumper().length === 0, 10);
      setting.world.s3.setBandwidth(undefined);
      return setting.start();
    },
    check: async (_setting, log) => {
      if (!log.some(({ message }) => /cleared leftovers/.test(String(message))))
        throw new Error('the next run does not report leftovers');
    },
  },
  {
    id: 'process-sigstop',
    fault: 'SIGSTOP for 75 seconds, then SIGCONT',
    outcome: 'continues where it was; the backup is good',
    exits: [0],
    soak: true,
    longestSeconds: 180,
    run: async ({ inTheMiddle, world }) => {
      const program = await inTheMiddle({
        STALL_TIMEOUT_SECONDS: '20',
        QUERY_TIMEOUT_SECONDS: '20',
      });
      process.kill(program.pid, 'SIGSTOP');
      await sleep(75_000);
      world.s3.setBandwidth(undefined);
      process.kill(program.pid, 'SIGCONT');
      return program;
    },
  },
  {
    id: 'process-sigterm-s3-mute',
    fault: 'SIGTERM while S3 answers nothing any more',
    outcome: ENDED,
    exits: [143],
    reason: /^interrupted by SIGTERM$/,
    longestSeconds: SHUTDOWN_SECONDS,
    run: async (setting) => {
      const stall = setting.strike({
        operation: ['PutObject', 'UploadPart'],
        skip: CLAIMS + 2,
        times: ALWAYS,
        action: { kind: 'stall', milliseconds: 600_000 },
      });
      const program = await setting.inTheMiddle();
      await until('uploads hang', () => stall.hits > 1);
      await isStopped(setting);
      program.child.kill('SIGTERM');
      return program;
    },
  },
  {
    ...interrupted(
      'SIGTERM',
      '-cloudwatch-mute',
      'while CloudWatch answers nothing any more',
      async (setting) => {
        const program = await setting.inTheMiddle();
        setting.world.cloudwatch.fail('hang');
        program.child.kill('SIGTERM');
        return program;
      },
    ),
    soak: true,
    withoutMetrics: true,
  },
  {
    ...interrupted(
      'SIGTERM',
      '-manifest-mute',
      'while S3 does not answer to the manifest',
      async ({ start, strike }) => {
        const action = { kind: 'drip', millisecondsPerByte: 200 } as const;
        const drip = strike({ operation: 'PutObject', key: /manifest\.json$/, action });
        const program = start();
        await until('the manifest is being written', () => drip.hits > 0);
        program.child.kill('SIGTERM');
        return program;
      },
    ),
    outcome: `${ENDED} and says that the manifest may be there; it stands for a whole backup then`,
    reason: new RegExp(
      '^interrupted by SIGTERM while the manifest was being written; s3:.* may be there, ' +
        'as a whole backup',
    ),
    soak: true,
    manifestMayExist: true,
  },
  {
    id: 'process-signals-after-manifest',
    fault: 'SIGINT and SIGTERM when the manifest is written, while CloudWatch does not answer',
    outcome: 'the backup exists, so the exit code says so',
    exits: [0],
    withoutMetrics: true,
    longestSeconds: SHUTDOWN_SECONDS,
    run: async ({ start, world }) => {
      const program = start();
      await program.printed('"event":"dumpFinished"');
      world.cloudwatch.fail('hang');
      await program.printed('"event":"succeeded"');
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) program.child.kill(signal);
      return program;
    },
  },
];
