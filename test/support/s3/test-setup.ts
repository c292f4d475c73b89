import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { onTestFinished } from 'vitest';
import { type S3Server, type S3ServerOptions, startS3Server } from './server.ts';

/** A server of the running test, gone with its directory when the test ends. */
export async function testServer(options: Partial<S3ServerOptions> = {}): Promise<S3Server> {
  const server = await startS3Server({
    dir: options.dir ?? (await testDirectory()),
    buckets: ['box'],
    ...options,
  });
  onTestFinished(() => server.close());
  return server;
}

/** An empty directory, removed when the running test ends. */
export async function testDirectory(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 's3-test-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** An SDK client of the running test. By default it tries once. */
export function testClient(
  server: Pick<S3Server, 'endpoint'>,
  config: S3ClientConfig = {},
): S3Client {
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
    ...config,
  });
  onTestFinished(() => client.destroy());
  return client;
}

/** The S3 error code and status (or the network error code) a request failed with. */
export async function failure(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    const { name, code, $metadata } = error as {
      name: string;
      code?: string;
      $metadata?: { httpStatusCode?: number };
    };
    const status = $metadata?.httpStatusCode;
    return status === undefined ? (code ?? name) : `${status} ${name}`;
  }
  return 'no failure';
}

/** Bytes that are not the same throughout, and the same every time. */
export function sampleBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at + 4 <= size; at += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes.writeUInt32LE(state, at);
  }
  return bytes;
}

export const mebibyte = 1024 ** 2;

/** The bytes in pieces of `size`, the last one shorter. */
export function* slices(bytes: Buffer, size = 64 * 1024): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
