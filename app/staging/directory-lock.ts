import { closeSync, constants, openSync } from 'node:fs';
import { constants as os } from 'node:os';
import koffi from 'koffi';

/** flock(2) */
const LOCK_EX = 2;
const LOCK_NB = 4;

const flock: (descriptor: number, operation: number) => number = koffi
  .load('libc.so.6')
  .func('int flock(int fd, int operation)');

/**
 * Locks a directory while the returned descriptor is open, so at most for the life of this process.
 * The lock also works between containers that share the file system, where process ids prove
 * nothing. A file system without locks counts as free.
 * @returns undefined when another process holds the lock.
 */
export function lockDirectory(directory: string): number | undefined {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  if (flock(descriptor, LOCK_EX | LOCK_NB) === 0 || koffi.errno() !== os.errno.EWOULDBLOCK)
    return descriptor;
  closeSync(descriptor);
  return undefined;
}
