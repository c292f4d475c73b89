import { readdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { allStopped } from '../staging/process-files.ts';

/** Number of futex(2), the call in which a thread waits for another thread of its process. */
const FUTEX: Readonly<Record<string, string>> = { x64: '202', arm64: '98' };
const LOOK_MILLISECONDS = 500;
/** In a live dump some thread reads or writes during at least one of so many looks in a row. */
const LOOKS_UNTIL_DEAD = 12;

/**
 * Watches for a deadlock of mydumper 0.10, which can happen when it starts with several databases.
 * It frees a queue that a thread still uses (`ready_database_dump` in mydumper.c). From then on all
 * threads wait for each other for ever. The server's snapshot, and perhaps its locks, stay held.
 * @returns a function that ends the watch.
 */
export function watchForDeadlock(pid: number, onDeadlock: () => void): () => void {
  let looks = 0;
  const timer = setInterval(() => {
    looks = waitsForItself(pid) ? looks + 1 : 0;
    if (looks < LOOKS_UNTIL_DEAD) return;
    clearInterval(timer);
    onDeadlock();
  }, LOOK_MILLISECONDS);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * Whether every thread of the process waits for another thread, and none for the server, the disk
 * or a processor.
 */
export function waitsForItself(pid: number): boolean {
  const futex = FUTEX[arch()];
  if (futex === undefined || allStopped([pid])) return false;
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1').startsWith(`${futex} `),
    );
  } catch {
    return false; // gone, or not readable
  }
}
