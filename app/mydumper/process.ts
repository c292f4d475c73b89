import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { Failure, type FailureKind } from '../errors.ts';
import { readLines } from './lines.ts';
import { createLogReader, type MydumperEvent } from './log-reader.ts';
import { toolEnvironment } from './version.ts';

const NICE = 5;
/** A shell that stops itself, then runs the program under the same process id. */
const STOPPED_FIRST = ['sh', '-c', 'kill -STOP $$; exec "$@"', 'sh'];
/**
 * Blocks the signals that end mydumper (`env` of coreutils 8.31 or later). 1.x answers SIGTERM with
 * an incomplete dump and exit code 0, and SIGINT with a question. SIGKILL still ends it.
 */
const DEAF = ['env', '--block-signal=HUP,INT,QUIT,TERM,USR1,USR2'];
/**
 * A process that has left mydumper's group may hold its output open for ever. The wait for the end
 * of the output has this limit.
 */
const LAST_OUTPUT_MILLISECONDS = 5000;

/** How mydumper ended. `signal` is set when a signal killed it, ours or any other. */
export type MydumperExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type MydumperProcess = {
  /** Also the id of its process group, which holds its child processes. */
  readonly pid: number;
  /** Resolves when the whole process group is gone and its output was read to the end. */
  readonly exited: Promise<MydumperExit>;
  /**
   * Sends SIGKILL to the whole group: 1.x answers SIGTERM with a dump that only looks complete.
   * Harmless when the process is gone.
   */
  readonly kill: () => void;
};

/**
 * Starts mydumper in its own process group, so that our signals reach its children, and signals to
 * us do not reach it. `setpriv` (util-linux) asks the kernel to kill mydumper when this process
 * dies for any reason. Otherwise a stopped mydumper would hold its snapshot and locks for ever.
 *
 * mydumper starts stopped (state `T`), before its first instruction, until it gets SIGCONT. The
 * watching thread sends that after it has shut the gate. Without this stop, mydumper filled a small
 * budget on a busy machine before that thread knew about it.
 * @throws Failure `dump` when it cannot be started.
 */
export async function startMydumper(
  binary: string,
  argv: readonly string[],
  searchPath: string,
  onEvent: (event: MydumperEvent) => void,
): Promise<MydumperProcess> {
  const read = createLogReader();
  const command = [...STOPPED_FIRST, ...DEAF, binary, ...argv];
  return await startTool({ kind: 'dump', command, searchPath }, (line) => {
    for (const event of read(line)) onEvent(event);
  });
}

/**
 * Lowers the priority of mydumper, so that shipping and the watching thread run first when
 * processors are short. Not for use while mydumper holds locks: writers wait for their release.
 * Never raises a priority: without privileges the kernel refuses that. Harmless when the process is
 * gone.
 */
export function lowerPriority(pid: number): void {
  // Each thread has its own priority. A new thread inherits that of the thread that starts it.
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(Number(thread), Math.max(NICE, getPriority()));
    } catch (error) {
      const { info } = error as { info?: { code?: string } };
      if (info?.code !== 'ESRCH') throw error; // ESRCH: the thread has just ended
    }
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

export type ToolStart = {
  /** Kind of the failure when mydumper cannot be started. */
  readonly kind: FailureKind;
  readonly command: readonly string[];
  readonly searchPath: string;
};

/**
 * Starts mydumper as a process group that dies with this process. Passes its output to `onLine`,
 * line by line.
 * @throws Failure of `kind`.
 */
export async function startTool(
  { kind, command, searchPath }: ToolStart,
  onLine: (line: string) => void,
): Promise<MydumperProcess> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: toolEnvironment(searchPath),
  });
  const pid = await started(child, kind);
  const drained = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of readLines(stream)) onLine(line);
  });
  const { promise: exited, resolve } = Promise.withResolvers<MydumperExit>();
  let running = true;
  child.once('exit', async (code, signal) => {
    running = false;
    killGroup(pid); // a child must not outlive it
    const late = setTimeout(() => {
      for (const stream of [child.stdout, child.stderr]) stream.destroy();
    }, LAST_OUTPUT_MILLISECONDS);
    await Promise.allSettled(drained);
    clearTimeout(late);
    resolve({ code, signal });
  });
  return {
    pid,
    exited,
    kill: () => {
      if (running) killGroup(pid);
    },
  };
}

async function started(child: ChildProcess, kind: FailureKind): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new Failure(kind, `could not start mydumper through setpriv: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
  if (child.pid === undefined)
    throw new Failure(kind, 'could not start mydumper: it has no process id');
  return child.pid;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
