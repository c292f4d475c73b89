import { closeSync, constants, openSync, readdirSync } from 'node:fs';
import { constants as os } from 'node:os';
import koffi from 'koffi';

/**
 * Lets the kernel stop mydumper at its next write. Each thread of mydumper finishes its current
 * write and no more, however late this thread is.
 *
 * Directory notification (`F_NOTIFY` in fcntl(2), dnotify) sends a signal after a write to a file
 * in the directory. The caller chooses the signal and any thread of the same user. Here the kernel
 * sends SIGSTOP to each thread of mydumper, within the write itself. A thread with a pending
 * SIGSTOP does not return from its system call, and stops all others.
 */
export type WriteGate = {
  /** From now on the next write stops the processes. The caller repeats it for new threads. */
  readonly shut: (pids: readonly number[]) => void;
  readonly open: () => void;
  /** Whether it is shut. */
  readonly isShut: () => boolean;
  /** Releases the descriptors, one for each thread. */
  readonly end: () => void;
};

const F_SETSIG = 10;
const F_SETOWN_EX = 15;
const F_OWNER_TID = 0;
const F_NOTIFY = 1026;
const DN_MODIFY = 0x2;
const DN_MULTISHOT = 0x8000_0000;

const libc = koffi.load('libc.so.6');
const fcntl: (descriptor: number, command: number, value: number) => number = libc.func(
  'int fcntl(int fd, int command, long value)',
);
const fcntlOwner: (descriptor: number, command: number, owner: Buffer) => number = libc.func(
  'fcntl',
  'int',
  ['int', 'int', 'void *'],
);

/** @returns undefined where the kernel has no directory notification (`fs.dir-notify-enable`). */
export function createWriteGate(directory: string): WriteGate | undefined {
  const descriptors = new Map<number, number>();
  let shut = false;

  const openFor = (thread: number): number | undefined => {
    const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    const owner = Buffer.alloc(8); // struct f_owner_ex: int type, pid_t pid
    owner.writeInt32LE(F_OWNER_TID, 0);
    owner.writeInt32LE(thread, 4);
    const accepted =
      fcntl(descriptor, F_SETSIG, os.signals.SIGSTOP) === 0 &&
      fcntlOwner(descriptor, F_SETOWN_EX, owner) === 0;
    if (accepted) return descriptor;
    closeSync(descriptor); // the thread is gone
    return undefined;
  };
  const notify = (descriptor: number, events: number) => fcntl(descriptor, F_NOTIFY, events) === 0;

  const probe = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  const works = fcntl(probe, F_SETSIG, os.signals.SIGURG) === 0 && notify(probe, DN_MODIFY);
  closeSync(probe); // which ends its notification
  if (!works) return undefined;

  return {
    shut: (pids) => {
      for (const thread of pids.flatMap(threadsOf)) {
        let descriptor = descriptors.get(thread);
        if (descriptor !== undefined && shut) continue;
        descriptor ??= openFor(thread);
        if (descriptor === undefined) continue;
        descriptors.set(thread, descriptor);
        notify(descriptor, DN_MODIFY + DN_MULTISHOT);
      }
      shut = true;
    },
    open: () => {
      if (!shut) return;
      for (const descriptor of descriptors.values()) notify(descriptor, 0);
      shut = false;
    },
    isShut: () => shut,
    end: () => {
      for (const descriptor of descriptors.values()) closeSync(descriptor);
      descriptors.clear();
      shut = false;
    },
  };
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch {
    return []; // it has just ended
  }
}
