import { closeSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDumpFileName } from '../app/staging/directory.ts';
import { FOREIGN_FILE, type Strike } from './scene.ts';

function listed(directory: string): string[] {
  try {
    return readdirSync(directory).toSorted();
  } catch {
    return []; // not there yet
  }
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  const descriptor = openSync(path, 'w');
  for (let size = 1024 * 1024; size >= 4096; size /= 2) {
    const zeros = Buffer.alloc(size);
    try {
      for (;;) writeSync(descriptor, zeros);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(descriptor);
}

export const DISK_STRIKES = {
  'disk-full': async ({ milliseconds }, { disk, over }) => {
    const filler = join(disk, 'filler');
    fill(filler);
    await sleep(milliseconds, undefined, { signal: over }).catch(() => {});
    rmSync(filler);
    return true;
  },
  'disk-file-removed': async ({ pick }, { staging }) => {
    const names = listed(staging).filter(isDumpFileName);
    const name = names[pick % Math.max(1, names.length)];
    if (name === undefined) return false;
    rmSync(join(staging, name), { force: true });
    return true;
  },
  'disk-emptied': async (_fault, { staging }) => {
    const names = listed(staging);
    for (const name of names) rmSync(join(staging, name), { force: true, recursive: true });
    return names.length > 0;
  },
  'disk-foreign-file': async (_fault, { staging }) => {
    if (listed(staging).length === 0) return false;
    const path = join(staging, FOREIGN_FILE);
    try {
      writeFileSync(path, 'mine');
      return true;
    } catch {
      rmSync(path, { force: true }); // the disk is full, or staging has just been cleared
      return false;
    }
  },
} as const satisfies Record<string, Strike>;
