import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import { createClient } from '../../app/storage/s3-client.ts';
import { makeSelfSigned } from '../support/openssl.ts';
import { awsEnvironment, temporaryDirectory } from '../support/program.ts';
import { storeConfig } from '../support/s3/test-store.ts';

const BODY = Buffer.alloc(8 * 1024 * 1024, 'rows');
const put = () => new PutObjectCommand({ Bucket: 'box', Key: 'k', Body: BODY });

async function clientFor(
  server: ReturnType<typeof createServer>,
  protocol = 'http',
  retrySeconds = 0,
) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const environment = awsEnvironment({ s3: `${protocol}://127.0.0.1:${port}` });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const limits = { retrySeconds, signal: new AbortController().signal };
  const client = createClient(storeConfig, 1, limits, () => {});
  onTestFinished(() => {
    client.destroy();
    server.close();
    vi.unstubAllEnvs();
  });
  return client;
}

test('large bodies go one after the other through one connection', async () => {
  let connections = 0;
  const server = createHttpServer(async (request, response) => {
    let crc = 0;
    for await (const chunk of request) crc = crc32(chunk, crc);
    response.writeHead(200, { etag: '"x"', 'x-amz-checksum-crc32': encodeCrc32(crc) }).end();
  });
  server.on('connection', () => {
    connections += 1;
  });
  const client = await clientFor(server);
  for (let count = 0; count < 5; count += 1) await client.send(put());
  expect(connections).toBe(1);
});

test('a refusal before the body was read is reported despite a reset', async () => {
  const document = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.pause();
      const head =
        'HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\n' +
        `content-length: ${document.length}`;
      socket.write(`${head}\r\nconnection: close\r\n\r\n${document}`, () =>
        socket.resetAndDestroy(),
      );
    });
  });
  const client = await clientFor(server);
  for (let count = 0; count < 5; count += 1)
    await expect(client.send(put())).rejects.toMatchObject({ name: 'AccessDenied' });
});

test('over TLS a body goes in pieces, whole, and again in another attempt', async () => {
  // What is trusted is settled when Node starts; nothing here is about that.
  vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
  const { path, remove } = temporaryDirectory('mf-tls');
  onTestFinished(remove);
  const pair = { certificate: join(path, 'tls.pem'), key: join(path, 'tls.key') };
  makeSelfSigned('127.0.0.1', 'subjectAltName=IP:127.0.0.1', pair);
  const bodies: Buffer[] = [];
  const server = createHttpsServer(
    { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) },
    async (request, response) => {
      const body = await buffer(request);
      bodies.push(body);
      const isFirst = bodies.length === 1;
      const headers = { etag: '"x"', 'x-amz-checksum-crc32': encodeCrc32(crc32(body)) };
      response.writeHead(isFirst ? 503 : 200, headers).end();
    },
  );
  const client = await clientFor(server, 'https', 60);
  await client.send(put());
  expect(bodies.map((body) => body.equals(BODY))).toEqual([true, true]);
});
