import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { allocatedBytes } from './disk.ts';
import { type Pause, pausesIn } from './pauses.ts';
import {
  cpuSecondsOf,
  endedChildrenSeconds,
  lookAtTree,
  peakResidentBytes,
} from './process-tree.ts';

/** One program, or several joined by a pipe, run to its end. */
export type Step = {
  readonly name: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Watched for allocated bytes. */
  readonly directory: string;
};

/** Servers that run beside the step; their processor seconds count separately. */
export type Beside = { readonly database: number; readonly s3: number };

export type StepMeasure = {
  readonly name: string;
  readonly wallSeconds: number;
  /** Of the process and all its descendants. */
  readonly cpuSeconds: number;
  /** The same by executable. */
  readonly cpuByProgram: Readonly<Record<string, number>>;
  readonly databaseCpuSeconds: number;
  readonly s3CpuSeconds: number;
  /** Of all processes of the tree at one moment, the most. */
  readonly peakResidentBytes: number;
  /** Of the first process alone, as the kernel kept it (VmHWM). */
  readonly rootPeakResidentBytes: number;
  readonly peakDiskBytes: number;
  readonly timeline: readonly Moment[];
  readonly pauses: readonly Pause[];
  readonly stdout: string;
};

export type Moment = { readonly seconds: number; readonly diskBytes: number };

const PERIOD_MILLISECONDS = 20;
/**
 * Sampling may take no more than this share of one processor: a directory of thousands of files is
 * sampled less often.
 */
const SHARE_OF_LOOKING = 0.05;

/**
 * Runs a step and measures it from outside. Processor seconds are the kernel's account of ended
 * children (cutime and cstime of this process). So no child that was waited for is missed; only
 * their split by program comes from samples.
 * @throws Error with the end of its output when it does not exit with 0.
 */
export async function measureStep(step: Step, beside: Beside): Promise<StepMeasure> {
  const [command = '', ...args] = step.argv;
  const before = {
    children: endedChildrenSeconds(),
    database: cpuSecondsOf(beside.database),
    s3: cpuSecondsOf(beside.s3),
    wall: performance.now(),
    clock: Date.now(),
  };
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], {
    env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...step.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr = (output.stderr + text).slice(-100_000);
  });
  const watched = watch(child.pid ?? 0, step.directory, before.wall);
  const closed = once(child, 'close') as Promise<[number | null]>;
  try {
    await once(child, 'exit');
  } finally {
    watched.stop();
  }
  const wallSeconds = (performance.now() - before.wall) / 1000;
  const [code] = await closed;
  if (code !== 0)
    throw new Error(
      `${step.name} ended with ` +
        `${code}:\n${output.stdout.slice(-3000)}\n${output.stderr.slice(-3000)}`,
    );
  const cpuSeconds = endedChildrenSeconds() - before.children;
  return {
    name: step.name,
    wallSeconds,
    cpuSeconds,
    cpuByProgram: watched.cpuByProgram(cpuSeconds),
    databaseCpuSeconds: cpuSecondsOf(beside.database) - before.database,
    s3CpuSeconds: cpuSecondsOf(beside.s3) - before.s3,
    ...watched.peaks(),
    timeline: watched.timeline,
    pauses: pausesIn(output.stdout, before.clock, wallSeconds),
    stdout: output.stdout,
  };
}

function watch(root: number, directory: string, startedAt: number) {
  const timeline: Moment[] = [];
  const last = new Map<number, { program: string; cpuSeconds: number }>();
  const peaks = { peakResidentBytes: 0, rootPeakResidentBytes: 0, peakDiskBytes: 0 };
  let timer: NodeJS.Timeout | undefined;

  const look = () => {
    const began = performance.now();
    const tree = lookAtTree(root);
    for (const { pid, program, cpuSeconds } of tree) last.set(pid, { program, cpuSeconds });
    const residentBytes = tree.reduce((sum, process) => sum + process.residentBytes, 0);
    const diskBytes = allocatedBytes(directory);
    peaks.peakResidentBytes = Math.max(peaks.peakResidentBytes, residentBytes);
    peaks.rootPeakResidentBytes = Math.max(peaks.rootPeakResidentBytes, peakResidentBytes(root));
    peaks.peakDiskBytes = Math.max(peaks.peakDiskBytes, diskBytes);
    const now = performance.now();
    timeline.push({ seconds: (now - startedAt) / 1000, diskBytes });
    timer = setTimeout(look, Math.max(PERIOD_MILLISECONDS, (now - began) / SHARE_OF_LOOKING));
  };
  look();

  return {
    timeline,
    peaks: () => peaks,
    stop: () => clearTimeout(timer),
    /**
     * Seconds spent after the last sample count for the first process, which is the last to end.
     */
    cpuByProgram: (totalSeconds: number): Record<string, number> => {
      const sums: Record<string, number> = {};
      for (const { program, cpuSeconds } of last.values())
        sums[program] = (sums[program] ?? 0) + cpuSeconds;
      const first = last.get(root)?.program ?? 'unknown';
      const seen = Object.values(sums).reduce((sum, seconds) => sum + seconds, 0);
      sums[first] = (sums[first] ?? 0) + Math.max(0, totalSeconds - seen);
      return sums;
    },
  };
}
