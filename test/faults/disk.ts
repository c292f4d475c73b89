import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTmpfs } from '../support/program.ts';
import type { FaultCase } from './case.ts';
import { SLOW_BYTES_PER_SECOND } from './setting.ts';

const MIB = 1024 * 1024;

/** A wrapper that mounts a read-only file system at `directory`, visible to the program alone. */
function onReadOnly(directory: string): string[] {
  return onTmpfs(directory, MIB).map((word) => word.replace('-o size=', '-o ro,size='));
}

/** mydumper may write a new file in the very moment. */
function removeWhileUsed(directory: string): void {
  rmSync(directory, { recursive: true, maxRetries: 20, retryDelay: 10 });
}

/** Takes all free space. */
export function fill(path: string): void {
  try {
    for (;;) writeFileSync(path, Buffer.alloc(MIB / 16), { flag: 'a' });
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // The program, and its root with it, may have gone.
    if (!['ENOSPC', 'ENOENT', 'EACCES', 'ESRCH'].includes(code)) throw error;
  }
}

export const diskFaults: readonly FaultCase[] = [
  {
    id: 'disk-full',
    fault: 'filled by another process during the dump, as soon as something is freed',
    outcome:
      'the dump fails, naming the file that could not be written, or the directory that is full',
    exits: [4, 6],
    reason: /No space left|ENOSPC|could not write|Couldn't write/i,
    run: async ({ world, start }) => {
      world.s3.setBandwidth(SLOW_BYTES_PER_SECOND);
      const wrapper = onTmpfs(join(world.directory, 'disk'), 14 * MIB);
      const staging = join(world.directory, 'disk', 'staging');
      const program = start({ OUTPUTDIR: staging, STAGING_LIMIT_MB: '12' }, wrapper);
      await program.printed('"event":"paused"');
      // Seen from outside only through the program's own root.
      const filler = join('/proc', String(program.pid), 'root', world.directory, 'disk', 'filler');
      const filling = setInterval(() => fill(filler), 20);
      void program.ended.finally(() => clearInterval(filling));
      return program;
    },
  },
  {
    id: 'disk-too-small',
    fault: 'smaller than the budget from the start',
    outcome: 'refused before anything starts',
    exits: [3],
    reason: /STAGING_LIMIT_MB: the budget is 64 MiB, but only \d+ MiB are free in OUTPUTDIR/,
    run: async ({ world, start }) => start({}, onTmpfs(world.staging, 12 * MIB)),
  },
  {
    id: 'disk-read-only',
    fault: 'a file system that is read-only',
    outcome: 'refused before anything starts',
    exits: [3],
    reason: /OUTPUTDIR=".*": cannot be used as staging directory \(EROFS/,
    run: async ({ world, start }) => start({}, onReadOnly(world.staging)),
  },
  {
    id: 'disk-file-in-place',
    fault: 'a file where the directory should be',
    outcome: 'refused before anything starts; the file stays',
    exits: [3],
    reason: /OUTPUTDIR=".*": cannot be used as staging directory \(E(?:NOTDIR|EXIST)/,
    run: async ({ world, start }) => {
      const file = join(world.directory, 'a-file');
      writeFileSync(file, 'foreign');
      return start({ OUTPUTDIR: file });
    },
  },
  {
    id: 'disk-removed',
    fault: 'the directory removed during the dump, with all that is in it',
    outcome: 'the dump fails, naming the directory or a file of it',
    exits: [4, 6],
    reason: /staging|vanished|ENOENT|No such file|Couldn't/,
    run: async ({ world, inTheMiddle }) => {
      const program = await inTheMiddle();
      removeWhileUsed(world.staging);
      world.s3.setBandwidth(undefined);
      return program;
    },
  },
  {
    id: 'disk-replaced',
    fault: 'the directory removed during the dump and made again, empty',
    outcome: 'the dump fails, naming the directory or a file of it',
    soak: true,
    exits: [4, 6],
    reason: /staging|vanished|ENOENT|No such file|Couldn't/,
    run: async ({ world, inTheMiddle }) => {
      const program = await inTheMiddle();
      removeWhileUsed(world.staging);
      mkdirSync(world.staging);
      world.s3.setBandwidth(undefined);
      return program;
    },
  },
];
