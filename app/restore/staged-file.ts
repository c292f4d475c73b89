import { closeSync, openSync, write } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { DiskBudget } from './disk-budget.ts';

const writeTo = promisify(write) as (
  descriptor: number,
  buffer: Uint8Array,
  offset: number,
  length: number,
) => Promise<{ bytesWritten: number }>;
/** Disk is taken in steps, so that not every line asks for it. */
const STEP_BYTES = 64 * 1024;

/** A file being written in a batch directory, its disk taken from the budget as it grows. */
export type StagedFile = {
  readonly name: string;
  readonly path: string;
  readonly bytes: () => number;
  /** Disk taken for it. */
  readonly takenBytes: () => number;
  readonly write: (data: Buffer) => Promise<void>;
  readonly close: () => void;
};

/** `takenBytes` were taken for it beforehand. Never follows a link nor writes over a file. */
export function createStagedFile(
  directory: string,
  name: string,
  budget: DiskBudget,
  takenBytes = 0,
): StagedFile {
  const path = join(directory, name);
  const descriptor = openSync(path, 'wx', 0o600);
  let taken = takenBytes;
  let bytes = 0;
  let open = true;
  return {
    name,
    path,
    bytes: () => bytes,
    takenBytes: () => taken,
    write: async (data) => {
      while (bytes + data.length > taken) {
        await budget.take(STEP_BYTES, `a statement of ${name}`);
        taken += STEP_BYTES;
      }
      for (let at = 0; at < data.length; ) {
        const { bytesWritten } = await writeTo(descriptor, data, at, data.length - at);
        at += bytesWritten;
      }
      bytes += data.length;
    },
    close: () => {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
}
