/**
 * Floor B: sends files unchanged with raw HTTP PUTs, four at a time. Usage: `put-files.ts
 * <endpoint> <directory>`. With a number instead of a directory it sends that many MB of one
 * buffer, which measures the server's own rate.
 */
import { createReadStream, readdirSync, statSync } from 'node:fs';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [endpoint = '', what = ''] = process.argv.slice(2);
const AT_ONCE = 4;
const BUFFER_BYTES = 8e6;
const READ_BYTES = 1024 * 1024;

const isTls = endpoint.startsWith('https:');
const agent = isTls
  ? new HttpsAgent({ keepAlive: true, maxSockets: AT_ONCE })
  : new HttpAgent({ keepAlive: true, maxSockets: AT_ONCE });

async function put(name: string, body: Readable, bytes: number): Promise<void> {
  const request = (isTls ? httpsRequest : httpRequest)(`${endpoint}/bench/floor/${name}`, {
    method: 'PUT',
    agent,
    headers: { 'content-length': bytes },
  });
  const answered = new Promise<number>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
  });
  await pipeline(body, request);
  const status = await answered;
  if (status !== 200) throw new Error(`${name} was answered with ${status}`);
}

type Body = { readonly name: string; readonly bytes: number; readonly open: () => Readable };

function filesOf(directory: string): Body[] {
  return readdirSync(directory).map((name) => {
    const path = join(directory, name);
    return {
      name,
      bytes: statSync(path).size,
      open: () => createReadStream(path, { highWaterMark: READ_BYTES }),
    };
  });
}

function sameBuffer(megabytes: number): Body[] {
  const buffer = Buffer.alloc(BUFFER_BYTES, 'some content ');
  return Array.from({ length: Math.ceil((megabytes * 1e6) / BUFFER_BYTES) }, (_, index) => ({
    name: `buffer-${index}`,
    bytes: BUFFER_BYTES,
    open: () => Readable.from([buffer], { objectMode: false }),
  }));
}

const bodies = (/^\d+$/.test(what) ? sameBuffer(Number(what)) : filesOf(what)).values();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (const { name, bytes, open } of bodies) await put(name, open(), bytes);
  }),
);
agent.destroy();
