import { createHash } from 'node:crypto';
import { crc32, zstdCompressSync } from 'node:zlib';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Compression } from '../../app/config.ts';
import { ContentFault, readContent } from '../../app/manifest/content.ts';
import type { ManifestFile } from '../../app/manifest/schema.ts';
import { openS3Reader } from '../../app/storage/s3-reader.ts';
import { awsEnvironment } from '../support/program.ts';
import { mebibyte, sampleBytes, testServer } from '../support/s3/test-setup.ts';
import { storeConfig } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/shop.orders.00001.sql.zst';

/** A bucket with one object, and the manifest's entry of it. */
async function stored(content: Buffer, compression: Compression = 'zstd') {
  const server = await testServer();
  for (const [name, value] of Object.entries(awsEnvironment({ s3: server.endpoint })))
    vi.stubEnv(name, value);
  const client = new S3Client({
    endpoint: server.endpoint,
    region: 'eu-central-1',
    forcePathStyle: true,
  });
  const store = openS3Reader({ ...storeConfig, retrySeconds: 5 }, 2, 'restore', () => {});
  onTestFinished(() => {
    store.close();
    client.destroy();
    vi.unstubAllEnvs();
  });
  const put = (Body: Buffer) =>
    client.send(new PutObjectCommand({ Bucket: 'box', Key: KEY, Body }));
  const body = compression === 'none' ? content : zstdCompressSync(content);
  await put(body);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(body));
  const file: ManifestFile = {
    key: KEY,
    name: 'shop.orders.00001.sql',
    kind: 'data',
    database: 'shop',
    table: 'orders',
    dumpedBytes: content.byteLength,
    storedBytes: body.byteLength,
    largestStatementBytes: null,
    sha256: createHash('sha256').update(content).digest('hex'),
    crc32: crc.toString('base64'),
  };
  const read = async (changed: Partial<ManifestFile> = {}, onPiece = async () => {}) => {
    let bytes = 0;
    const hash = createHash('sha256');
    try {
      for await (const piece of readContent(store, { ...file, ...changed }, compression)) {
        bytes += piece.byteLength;
        hash.update(piece);
        await onPiece();
      }
      return { bytes, sha256: hash.digest('hex'), fault: undefined };
    } catch (error) {
      if (!(error instanceof ContentFault)) throw error;
      return { bytes, sha256: '', fault: error.message };
    }
  };
  return { server, put, read, file };
}

test.each<Compression>(['none', 'zstd'])(
  'content of COMPRESS=%s is read as dumped',
  async (kind) => {
    const { read, file } = await stored(sampleBytes(3 * mebibyte + 7), kind);
    expect(await read()).toEqual({
      bytes: file.dumpedBytes,
      sha256: file.sha256,
      fault: undefined,
    });
  },
);

test('content with another SHA-256 is a fault, though size and CRC-32 agree', async () => {
  const { read } = await stored(sampleBytes(1000));
  expect((await read({ sha256: 'ab'.repeat(32) })).fault).toMatch(/SHA-256 of its content/);
});

test('content that is longer than its entry is not read on', async () => {
  const { read } = await stored(Buffer.alloc(64 * mebibyte));
  const { bytes, fault } = await read({ dumpedBytes: mebibyte });
  expect(fault).toBe(`its content is longer than ${mebibyte} bytes`);
  expect(bytes).toBeLessThanOrEqual(mebibyte);
});

test('a body that goes on after a cut is of the same version of the object', async () => {
  const content = sampleBytes(2 * mebibyte);
  const { server, put, read } = await stored(content, 'none');
  server.faults.add({
    operation: 'GetObject',
    times: 1,
    action: { kind: 'truncate', afterBytes: mebibyte },
  });
  let replaced = false;
  const outcome = read({}, async () => {
    if (replaced) return;
    replaced = true;
    await put(sampleBytes(2 * mebibyte + 1).subarray(1));
  });
  await expect(outcome).rejects.toThrow(/PreconditionFailed|412|precondition/i);
});
