import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';

/**
 * Stops every process of a list at once, by SIGSTOP to each of its threads.
 *
 * The kernel gives a process's signal to one thread, usually the sleeping main one. The other
 * threads run until the kernel has scheduled that one. On a busy machine this takes tens of
 * milliseconds, in which mydumper writes megabytes. With a signal to each thread, the first thread
 * that runs stops all of them. The kernel ignores SIGTSTP in a container, where the process group
 * is orphaned.
 */
export function stopProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    let threads: string[];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue; // it has just ended
    }
    for (const thread of threads) tgkill(pid, Number(thread), constants.signals.SIGSTOP);
  }
}

/** tgkill(2); glibc has a function for it since 2.30. Fails silently for a thread that is gone. */
const tgkill: (processId: number, threadId: number, signal: number) => number = koffi
  .load('libc.so.6')
  .func('int tgkill(int tgid, int tid, int sig)');
