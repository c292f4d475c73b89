import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChecksumMismatch, encodeCrc32, guardChecksums } from '../../app/storage/checksum-guard.ts';
import { sampleBytes, testClient, testServer } from '../support/s3/test-setup.ts';

const TARGET = { Bucket: 'box', Key: 'k' };
const BYTES = sampleBytes(100_000);
const RIGHT = encodeCrc32(crc32(BYTES));

async function guarded() {
  const server = await testServer();
  const client = testClient(server);
  guardChecksums(client);
  return { server, client };
}

test('a checksum is written as S3 writes it', () => {
  // The check value of CRC-32/ISO-HDLC: 0xCBF43926.
  expect(encodeCrc32(crc32('123456789'))).toBe('y/Q5Jg==');
  expect(encodeCrc32(0)).toBe('AAAAAA==');
  expect(encodeCrc32(-1)).toBe('/////w==');
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (value) => {
      const encoded = encodeCrc32(value);
      expect(encoded).toMatch(/^[A-Za-z0-9+/]{6}==$/);
      expect(Buffer.from(encoded, 'base64').readUInt32BE()).toBe(value);
      expect(encodeCrc32(value | 0)).toBe(encoded);
    }),
  );
});

test.each([
  ['its own', undefined],
  ['one that is given', RIGHT],
])(
  'the client sends the checksum of a body in memory, %s, and compares the answer',
  async (_title, given) => {
    const { server, client } = await guarded();
    const answer = await client.send(
      new PutObjectCommand({
        ...TARGET,
        Body: BYTES,
        ...(given !== undefined && { ChecksumCRC32: given }),
      }),
    );
    expect(answer.ChecksumCRC32).toBe(RIGHT);
    expect(await server.objects('box')).toMatchObject([
      { checksum: { algorithm: 'CRC32', value: RIGHT } },
    ]);
  },
);

test('a body that is not what its given checksum says is refused', async () => {
  const { server, client } = await guarded();
  const sent = client.send(
    new PutObjectCommand({ ...TARGET, Body: BYTES, ChecksumCRC32: 'AAAAAA==' }),
  );
  await expect(sent).rejects.toMatchObject({ name: 'BadDigest' });
  expect(await server.objects('box')).toEqual([]);
});

test.each([
  ['wrong-checksum', /^PutObjectCommand was answered with CRC32 \S{6}==, sent was (\S{6}==)$/],
  ['no-checksum', /^PutObjectCommand was answered without a CRC32 checksum/],
] as const)('%s in the answer is a mismatch although the status is 200', async (kind, message) => {
  const { server, client } = await guarded();
  server.faults.add({ action: { kind } });
  const outcome = await client
    .send(new PutObjectCommand({ ...TARGET, Body: BYTES }))
    .catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ChecksumMismatch);
  expect(outcome).toMatchObject({ message: expect.stringMatching(message) });
});

test('an empty body has a checksum too', async () => {
  const { server, client } = await guarded();
  await client.send(new PutObjectCommand({ ...TARGET, Body: new Uint8Array() }));
  server.faults.add({ action: { kind: 'no-checksum' } });
  await expect(
    client.send(new PutObjectCommand({ ...TARGET, Body: new Uint8Array() })),
  ).rejects.toBeInstanceOf(ChecksumMismatch);
});

test('parts are guarded one by one', async () => {
  const { server, client } = await guarded();
  const { UploadId } = await client.send(
    new CreateMultipartUploadCommand({ ...TARGET, ChecksumAlgorithm: 'CRC32' }),
  );
  const part = new UploadPartCommand({ ...TARGET, UploadId, PartNumber: 1, Body: BYTES });
  expect((await client.send(part)).ChecksumCRC32).toBe(RIGHT);
  server.faults.add({ action: { kind: 'wrong-checksum' } });
  await expect(client.send(part)).rejects.toThrow(/^UploadPartCommand was answered with CRC32/);
});

test('what has no body in memory is left alone', async () => {
  const { server, client } = await guarded();
  server.faults.add({ times: Number.POSITIVE_INFINITY, action: { kind: 'no-checksum' } });
  await client.send(
    new PutObjectCommand({ ...TARGET, Body: Readable.from([BYTES]), ContentLength: BYTES.length }),
  );
  await client.send(new HeadObjectCommand(TARGET));
  await client.send(new CreateMultipartUploadCommand({ ...TARGET, ChecksumAlgorithm: 'CRC32' }));
});
