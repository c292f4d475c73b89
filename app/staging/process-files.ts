import { type BigIntStats, readdirSync, readFileSync, statSync } from 'node:fs';

/**
 * Identity of a file across renames: device, inode and time of birth, since file systems reuse the
 * inodes of removed files. It is text because these numbers may exceed 2^53.
 */
export type FileId = string;

export function idOf({ dev, ino, birthtimeNs }: BigIntStats): FileId {
  return `${dev}:${ino}:${birthtimeNs}`;
}

export type ProcessStat = { readonly state: string; readonly processGroup: number };

/**
 * Reads state and process group of a process.
 * @returns undefined when it is gone. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
 */
export function readProcess(pid: number | string): ProcessStat | undefined {
  try {
    return parseProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return undefined;
  }
}

/**
 * The command name is in parentheses and may hold spaces and parentheses itself. Fields therefore
 * count from the last parenthesis.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, , processGroup] = fields;
  if (state === undefined || processGroup === undefined) return undefined;
  return { state, processGroup: Number(processGroup) };
}

/** Ids of the living processes of a group; zombies hold no files and do not count. */
export function groupMembers(processGroup: number): number[] {
  const members: number[] = [];
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = readProcess(name);
    if (stat?.processGroup === processGroup && !/[ZX]/.test(stat.state)) members.push(Number(name));
  }
  return members;
}

/**
 * Whether every thread of every process is stopped (state `T`). Only then has the kill call taken
 * effect.
 */
export function allStopped(pids: readonly number[]): boolean {
  return pids.every((pid) => isStopped(pid) !== false);
}

/** Whether at least one process is stopped with all of its threads. */
export function anyStopped(pids: readonly number[]): boolean {
  return pids.some((pid) => isStopped(pid) === true);
}

/** undefined for a process that is gone. */
function isStopped(pid: number): boolean | undefined {
  try {
    return readdirSync(`/proc/${pid}/task`).every((thread) => {
      const stat = readProcess(`${pid}/task/${thread}`);
      return stat === undefined || /[TtZX]/.test(stat.state);
    });
  } catch {
    return undefined;
  }
}

/**
 * Adds the ids of all files the processes hold open to `open`.
 * @returns false when a process is just ending, which hides its open files: no file counts as
 *   finished yet.
 * @throws Error when a living process denies the look: no file could ever count as finished.
 */
export function collectOpenFiles(pids: readonly number[], open: Set<FileId>): boolean {
  let complete = true;
  for (const pid of pids) {
    try {
      for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
        const stat = statSync(`/proc/${pid}/fd/${descriptor}`, {
          bigint: true,
          throwIfNoEntry: false,
        });
        if (stat?.isFile()) open.add(idOf(stat));
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ESRCH' || hasEnded(pid)) continue;
      if (!isEnding(pid)) {
        throw new Error(
          `cannot see which files process ${pid} has open in /proc/${pid}/fd (${code})`,
          {
            cause: error,
          },
        );
      }
      complete = false;
    }
  }
  return complete;
}

function hasEnded(pid: number): boolean {
  return /[ZX]/.test(readProcess(pid)?.state ?? 'X');
}

/**
 * A process that ends frees its memory before it closes its files. From then on /proc shows its
 * files only to root.
 */
function isEnding(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/statm`, 'latin1').startsWith('0 ');
  } catch {
    return true; // gone by now
  }
}
