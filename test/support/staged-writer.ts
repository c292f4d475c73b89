/**
 * A process that fills staging as mydumper does: `staged-writer.ts <directory> <threads> <files>
 * <writes> <bytes>`; each of its threads writes so many files one after another, each by so many
 * writes, and closes them.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, Worker, workerData } from 'node:worker_threads';

type Task = { readonly directory: string; readonly thread: number } & Record<
  'files' | 'writes' | 'bytes',
  number
>;

export const STAGED_WRITER = fileURLToPath(import.meta.url);

function writeFiles({ directory, thread, files, writes, bytes }: Task): void {
  const content = Buffer.alloc(bytes, 'x');
  for (let file = 0; file < files; file += 1) {
    const descriptor = openSync(
      join(directory, `db.t${thread}.${String(file).padStart(5, '0')}.sql`),
      'wx',
    );
    for (let write = 0; write < writes; write += 1) writeSync(descriptor, content);
    closeSync(descriptor);
  }
}

const [, self, directory, ...numbers] = process.argv;
const [threads = 0, files = 0, writes = 0, bytes = 0] = numbers.map(Number);
if (!isMainThread && (workerData as Task | null)?.directory !== undefined)
  writeFiles(workerData as Task);
else if (self === STAGED_WRITER && directory !== undefined) {
  for (let thread = 0; thread < threads; thread += 1) {
    const task: Task = { directory, thread, files, writes, bytes };
    new Worker(STAGED_WRITER, { workerData: task });
  }
}
