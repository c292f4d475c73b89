import { constants } from 'node:os';
import koffi from 'koffi';
import { allStopped } from '../staging/process-files.ts';

/** waitid(2) */
const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
/** What is asked is not used up: it is answered again. */
const WNOWAIT = 0x0100_0000;
const SIGINFO_BYTES = 128;

const waitid: (type: number, id: number, info: Buffer, options: number) => number = koffi
  .load('libc.so.6')
  .func('int waitid(int type, int id, void *info, int options)');
const info = Buffer.alloc(SIGINFO_BYTES);

/**
 * Whether every thread of every process stands still. A single child of ours is asked of the
 * kernel, which tells that a process has stopped when the last of its threads has; that costs a
 * hundredth of reading the state of each thread from /proc, as is done for all others.
 */
export function standStill(pids: readonly number[]): boolean {
  const [pid, ...others] = pids;
  if (pid === undefined || others.length > 0) return allStopped(pids);
  info.fill(0, 0, 4);
  if (waitid(P_PID, pid, info, WSTOPPED | WNOHANG | WNOWAIT) !== 0) return allStopped(pids); // no child, or none any more
  return info.readInt32LE(0) === constants.signals.SIGCHLD;
}
