import { readdirSync } from 'node:fs';
import { constants } from 'node:os';
import koffi from 'koffi';

/**
 * Stops every process of a list at once, by SIGSTOP to each of its threads.
 *
 * A signal to a process is handed to one thread, usually the sleeping main one, and the others run
 * on until that one has been scheduled: on a busy machine tens of milliseconds, in which mydumper
 * writes megabytes. A signal to each thread is taken by whichever runs first, and the first one
 * stops them all. SIGTSTP would be ignored in a container, where the process group is orphaned.
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
