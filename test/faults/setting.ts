import { setTimeout as sleep } from 'node:timers/promises';
import { startWorld, type World } from '../e2e/world.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import type { Fault, FaultRule } from '../support/s3/server.ts';

/** Slow enough that a small database fills staging. */
export const SLOW_BYTES_PER_SECOND = 2e6;
const POLL_MILLISECONDS = 10;

/** The parts that a fault can be caused in, and the program. */
export type Setting = {
  readonly world: World;
  readonly db: MariaDb;
  /** A file beside staging, and what else belongs to others. */
  readonly database: string;
  /** Adds a fault to S3 that must strike before the run has ended. */
  readonly strike: (rule: FaultRule) => Fault;
  readonly strikes: readonly Fault[];
  readonly start: (extra?: Record<string, string>, wrapper?: readonly string[]) => RunningProgram;
  /** Starts a run on a slow network and waits until staging is full and mydumper paused. */
  readonly inTheMiddle: (extra?: Record<string, string>) => Promise<RunningProgram>;
  /** Process ids of mydumper. */
  readonly mydumper: () => number[];
  readonly end: () => Promise<void>;
};

export async function createSetting(db: MariaDb, database: string): Promise<Setting> {
  const world = await startWorld({ db });
  const programs: RunningProgram[] = [];
  const strikes: Fault[] = [];
  const start: Setting['start'] = (extra = {}, wrapper = []) => {
    const environment = world.environment({
      DATABASES: database,
      COMPRESS: 'none',
      UPLOAD_RETRY_SECONDS: '20',
      ...extra,
    });
    const program = startProgram(environment, [], wrapper);
    programs.push(program);
    return program;
  };
  return {
    world,
    db,
    database,
    strikes,
    strike: (rule) => {
      const fault = world.s3.faults.add(rule);
      strikes.push(fault);
      return fault;
    },
    start,
    inTheMiddle: async (extra = {}) => {
      world.s3.setBandwidth(SLOW_BYTES_PER_SECOND);
      const program = start({ STAGING_LIMIT_MB: '10', ...extra });
      await program.printed('"event":"paused"');
      return program;
    },
    mydumper: () => processesWith(`--outputdir=${world.staging}`).map(({ pid }) => pid),
    end: async () => {
      for (const program of programs) program.child.kill('SIGKILL');
      await Promise.all(programs.map(({ ended }) => ended));
      await world.stop();
    },
  };
}

/** Waits until it is so. @throws Error naming what it waited for, after `seconds`. */
export async function until(
  what: string,
  isSo: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(POLL_MILLISECONDS);
  }
}
