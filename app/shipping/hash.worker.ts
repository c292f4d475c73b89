/** The thread that hashes what is shipped, so that the main thread has its time for sending. */
import { createHash, type Hash } from 'node:crypto';
import { parentPort } from 'node:worker_threads';
import type { FromHasher, ToHasher } from './hasher.ts';

const port = parentPort;
if (port === null) throw new Error('hash.worker.ts runs as a worker thread');
const hashes = new Map<number, Hash>();

port.on('message', (message: ToHasher) => {
  const { id } = message;
  const hash = hashes.get(id) ?? createHash('sha256');
  if ('data' in message) {
    hashes.set(id, hash.update(message.data));
    port.postMessage({ id } satisfies FromHasher);
  } else {
    hashes.delete(id);
    port.postMessage({ id, sha256: hash.digest('hex') } satisfies FromHasher);
  }
});
