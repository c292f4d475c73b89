/**
 * A proxy that makes the database as slow as a network. `slow-database.ts <port of the server>
 * <bytes per second>` forwards connections from a free port of 127.0.0.1. It limits the bytes that
 * the server sends, over all connections together. It runs in a separate process and ends with its
 * parent.
 */
import { type AddressInfo, connect, createServer } from 'node:net';
import { Transform } from 'node:stream';
import { createLink } from '../test/support/s3/bandwidth.ts';

const [port, bytesPerSecond] = process.argv.slice(2).map(Number);
const link = createLink(bytesPerSecond);

const server = createServer((client) => {
  const upstream = connect({ host: '127.0.0.1', port: port ?? 0 });
  const paced = new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      const wait = link.take(chunk.byteLength);
      if (wait === undefined) done(null, chunk);
      else void wait.then(() => done(null, chunk));
    },
  });
  client.pipe(upstream).pipe(paced).pipe(client);
  const end = () => {
    client.destroy();
    upstream.destroy();
  };
  for (const socket of [client, upstream]) socket.on('error', end).on('close', end);
  client.setNoDelay();
  upstream.setNoDelay();
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => {
  process.send?.({ port: (server.address() as AddressInfo).port });
});
