/**
 * A process whose threads write as fast as they can, as mydumper's do: `threaded-writer.ts
 * <directory> <threads> <bytes> <writes>`, each thread a file of its own. It prints `ready` when
 * all threads are there and begins when a line comes in.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

type Task = { readonly path: string; readonly bytes: number; readonly writes: number };

function writeAll({ path, bytes, writes }: Task): void {
  const descriptor = openSync(path, 'w');
  const content = Buffer.alloc(bytes, 'x');
  for (let count = 0; count < writes; count += 1) writeSync(descriptor, content);
  closeSync(descriptor);
}

async function main(): Promise<void> {
  const [directory = '.', threads = '1', bytes = '1', writes = '1'] = process.argv.slice(2);
  const workers = Array.from({ length: Number(threads) }, (_, index) => {
    const task: Task = {
      path: join(directory, `db.t${index}.sql`),
      bytes: Number(bytes),
      writes: Number(writes),
    };
    return new Worker(fileURLToPath(import.meta.url), { workerData: task });
  });
  await Promise.all(
    workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))),
  );
  process.stdout.write('ready\n');
  process.stdin.once('data', () => {
    for (const worker of workers) worker.postMessage('begin');
    process.stdin.destroy();
  });
}

if (isMainThread) await main();
else parentPort?.once('message', () => writeAll(workerData as Task));
