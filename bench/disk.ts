import { lstatSync, readdirSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Allocated bytes (st_blocks) of the files below a directory. */
export function allocatedBytes(directory: string): number {
  let bytes = 0;
  for (const name of listed(directory)) {
    const found = lstatSync(join(directory, name), { throwIfNoEntry: false });
    if (found?.isDirectory()) bytes += allocatedBytes(join(directory, name));
    else bytes += (found?.blocks ?? 0) * 512;
  }
  return bytes;
}

/** Sizes of the files of a directory, together. */
export function fileBytes(directory: string): number {
  return listed(directory).reduce(
    (sum, name) => sum + (lstatSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

export async function freshDirectory(directory: string): Promise<string> {
  rmSync(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true, mode: 0o700 });
  return directory;
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return []; // not there yet, or no longer
  }
}
