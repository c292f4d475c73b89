/** The thread that hashes what is shipped, so that the main thread has its time for sending. */
import { parentPort } from 'node:worker_threads';
import { createDigester, type FromHasher, type ToHasher } from './hasher.ts';

const port = parentPort;
if (port === null) throw new Error('hash.worker.ts runs as a worker thread');
const digesters = new Map<number, ReturnType<typeof createDigester>>();

port.on('message', (message: ToHasher) => {
  const { id } = message;
  const digester = digesters.get(id) ?? createDigester();
  if ('data' in message) {
    digesters.set(id, digester);
    digester.update(message.data);
    port.postMessage({ id } satisfies FromHasher);
  } else {
    digesters.delete(id);
    port.postMessage({ id, digest: digester.end() } satisfies FromHasher);
  }
});
