import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { getPriority, setPriority } from 'node:os';
import { Failure, type FailureKind } from '../errors.ts';
import { readLines } from './lines.ts';
import { createLogReader, type MydumperEvent } from './log-reader.ts';
import { toolEnvironment } from './version.ts';

const NICE = 5;
/** Stops itself where it will be another program in a moment, under the same id. */
const STOPPED_FIRST = ['sh', '-c', 'kill -STOP $$; exec "$@"', 'sh'];
/**
 * Signals by which others would end mydumper stay pending (`env` of coreutils 8.31 or later): 1.x
 * answers SIGTERM with an incomplete dump and exit code 0, and SIGINT with a question. SIGKILL
 * still ends it.
 */
const DEAF = ['env', '--block-signal=HUP,INT,QUIT,TERM,USR1,USR2'];
/**
 * What has left mydumper's process group may hold its output open for ever; nobody waits longer
 * than this for its end.
 */
const LAST_OUTPUT_MILLISECONDS = 5000;

/** How mydumper ended. `signal` is set when it was killed, by us or by anyone. */
export type MydumperExit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type MydumperProcess = {
  /** Also the id of its process group, which holds any child it starts. */
  readonly pid: number;
  /**
   * Resolves when the process and what it left behind in its group are gone, and their output was
   * read to the end.
   */
  readonly exited: Promise<MydumperExit>;
  /**
   * SIGKILL to the whole group: 1.x answers SIGTERM with a dump that only looks complete. Harmless
   * when it is gone.
   */
  readonly kill: () => void;
};

/**
 * Starts mydumper in a process group of its own, so that signals reach its children and ours do not
 * reach it. `setpriv` (util-linux) asks the kernel to kill it when we die in whatever way: a
 * stopped mydumper would otherwise stay behind and hold its snapshot and locks for ever.
 *
 * It stands stopped (state `T`) before its first instruction until somebody sends SIGCONT: the
 * watching thread does when it has shut the gate. On a busy machine mydumper has else been seen to
 * fill a small budget before that thread was told of it.
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
  return await startTool({ name: 'mydumper', kind: 'dump', command, searchPath }, (line) => {
    for (const event of read(line)) onEvent(event);
  });
}

/**
 * Lets shipping and the thread that watches staging come first when processors are short. Not while
 * mydumper holds locks, as others wait for their end. Only ever lowered: without privileges the
 * kernel refuses to raise it again. Harmless when the process is gone.
 */
export function lowerPriority(pid: number): void {
  // Each thread has a priority of its own; those to come have that of the thread that starts them.
  for (const thread of threadsOf(pid)) {
    try {
      setPriority(Number(thread), Math.max(NICE, getPriority()));
    } catch (error) {
      if ((error as { info?: { code?: string } }).info?.code !== 'ESRCH') throw error; // it has just ended
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
  readonly name: 'mydumper' | 'myloader';
  /** Of the failure to start it. */
  readonly kind: FailureKind;
  readonly command: readonly string[];
  readonly searchPath: string;
};

/**
 * Starts either tool as a group that dies with us; what it prints is given line by line.
 * @throws Failure of `kind`.
 */
export async function startTool(
  { name, kind, command, searchPath }: ToolStart,
  onLine: (line: string) => void,
): Promise<MydumperProcess> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: toolEnvironment(searchPath),
  });
  const pid = await started(child, name, kind);
  const drained = [child.stdout, child.stderr].map(async (stream) => {
    for await (const line of readLines(stream)) onLine(line);
  });
  const { promise: exited, resolve } = Promise.withResolvers<MydumperExit>();
  let running = true;
  child.once('exit', async (code, signal) => {
    running = false;
    killGroup(pid); // of children that outlive it nothing good can come
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

async function started(child: ChildProcess, name: string, kind: FailureKind): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => {
      reject(
        new Failure(kind, `could not start ${name} through setpriv: ${error.message}`, {
          cause: error,
        }),
      );
    });
  });
  if (child.pid === undefined)
    throw new Failure(kind, `could not start ${name}: it has no process id`);
  return child.pid;
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
