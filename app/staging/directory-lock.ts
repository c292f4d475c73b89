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
 * Locks a directory for as long as the descriptor that is returned is open, so at the most as long
 * as this process lives. It holds between containers that share the file system, where process ids
 * tell nothing. A file system without locks counts as free.
 * @returns undefined when somebody else has it.
 */
export function lockDirectory(directory: string): number | undefined {
  const descriptor = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY);
  if (flock(descriptor, LOCK_EX | LOCK_NB) === 0 || koffi.errno() !== os.errno.EWOULDBLOCK)
    return descriptor;
  closeSync(descriptor);
  return undefined;
}
