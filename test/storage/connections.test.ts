import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import { createClient } from '../../app/storage/s3-client.ts';
import { awsEnvironment } from '../support/program.ts';
import { storeConfig } from '../support/s3/test-store.ts';

const BODY = Buffer.alloc(8 * 1024 * 1024, 'rows');
const put = () => new PutObjectCommand({ Bucket: 'box', Key: 'k', Body: BODY });

async function clientFor(server: ReturnType<typeof createServer>) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const environment = awsEnvironment({ s3: `http://127.0.0.1:${port}` });
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const limits = { retrySeconds: 0, signal: new AbortController().signal };
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

test('a refusal that comes before the body was read is told, though the connection is reset at once', async () => {
  const document = '<Error><Code>AccessDenied</Code><Message>no</Message></Error>';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.pause();
      const head = `HTTP/1.1 403 Forbidden\r\ncontent-type: application/xml\r\ncontent-length: ${document.length}`;
      socket.write(`${head}\r\nconnection: close\r\n\r\n${document}`, () => socket.resetAndDestroy());
    });
  });
  const client = await clientFor(server);
  for (let count = 0; count < 5; count += 1)
    await expect(client.send(put())).rejects.toMatchObject({ name: 'AccessDenied' });
});
