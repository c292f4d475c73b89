import { closeSync, fstatSync, fsyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { OUR_PREFIX } from './directory.ts';

/** linux/falloc.h */
const FALLOC_FL_KEEP_SIZE = 1;
const FALLOC_FL_PUNCH_HOLE = 2;
const PROBE_BYTES = 64 * 1024;

const fallocate: (descriptor: number, mode: number, offset: number, bytes: number) => number = koffi
  .load('libc.so.6')
  .func('int fallocate(int fd, int mode, int64_t offset, int64_t length)');

/**
 * Frees the disk of a part of a file. The part then reads as zeros, and the file's size stays.
 * @throws Error when the file system refuses.
 */
export function punchHole(descriptor: number, offset: number, bytes: number): void {
  if (fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, bytes) === 0)
    return;
  throw new Error(
    `the file system refused to free a part of a file (fallocate, errno ${koffi.errno()})`,
  );
}

/** Whether the file system that holds the directory frees parts of files, found out by trying. */
export function canPunchHoles(directory: string): boolean {
  const path = join(directory, `${OUR_PREFIX}.probe`);
  const descriptor = openSync(path, 'wx+', 0o600);
  try {
    writeSync(descriptor, Buffer.alloc(PROBE_BYTES, 1));
    fsyncSync(descriptor);
    const before = fstatSync(descriptor).blocks;
    punchHole(descriptor, 0, PROBE_BYTES / 2);
    return fstatSync(descriptor).blocks < before;
  } catch {
    return false;
  } finally {
    closeSync(descriptor);
    unlinkSync(path);
  }
}
