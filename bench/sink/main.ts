/**
 * An S3 endpoint for measuring uploads. It takes bodies as fast as Node can, keeps their CRC-32 and
 * size and discards them. It runs in a separate process, gets its bandwidth in messages from its
 * parent, and ends with it. Its answers satisfy clients; the tests' own server checks whether
 * clients are right.
 */
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createLink } from '../../test/support/s3/bandwidth.ts';
import { createSink } from './sink.ts';

/** What the parent sends; it is answered with a SinkReport. */
export type SinkOrder = { readonly bytesPerSecond: number | undefined };
/** What came since the last order. */
export type SinkReport = { readonly storedBytes: number; readonly requests: number };
export type SinkReady = { readonly port: number };

const [certificate, key] = process.argv.slice(2);
const link = createLink();
const sink = createSink(link);
const server =
  certificate === undefined || key === undefined
    ? createHttpServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, sink.serve)
    : createHttpsServer(
        {
          requestTimeout: 0,
          keepAliveTimeout: 60_000,
          cert: readFileSync(certificate),
          key: readFileSync(key),
        },
        sink.serve,
      );
process.on('message', (order: SinkOrder) => {
  link.setRate(order.bytesPerSecond);
  process.send?.(sink.takeReport());
});
process.on('disconnect', () => process.exit(0));
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ port } satisfies SinkReady);
});
