import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  type ChecksumAlgorithm,
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { failure, mebibyte, sampleBytes, slices, testClient, testServer } from './test-setup.ts';

const Bucket = 'box';

test.each(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] satisfies ChecksumAlgorithm[])(
  'verifies a streamed body by its %s trailer, and the SDK verifies it on the way back',
  async (ChecksumAlgorithm) => {
    const server = await testServer();
    const client = testClient(server);
    const body = sampleBytes(3 * mebibyte + 17);
    const put = await client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'stream',
        Body: Readable.from(slices(body, 64 * 1024)),
        ContentLength: body.length,
        ChecksumAlgorithm,
      }),
    );
    const got = await client.send(
      new GetObjectCommand({ Bucket, Key: 'stream', ChecksumMode: 'ENABLED' }),
    );
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect(got[`Checksum${ChecksumAlgorithm}`]).toBe(put[`Checksum${ChecksumAlgorithm}`]);
    const [object] = await server.objects(Bucket);
    expect(object?.checksum.algorithm).toBe(ChecksumAlgorithm);
    expect(object?.attributes.contentEncoding).toBeUndefined();
  },
);

test('computes CRC64NVME when the client gives no checksum', async () => {
  const server = await testServer();
  const client = testClient(server, { requestChecksumCalculation: 'WHEN_REQUIRED' });
  const put = await client.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: '123456789' }));
  expect(put.ChecksumCRC64NVME).toBe('rosUhgp5mIg=');
});

test('the ETag is the MD5 where the request carries a Content-MD5', async () => {
  const server = await testServer();
  const client = testClient(server);
  const md5 = createHash('md5').update('x').digest();
  const put = await client.send(
    new PutObjectCommand({ Bucket, Key: 'x', Body: 'x', ContentMD5: md5.toString('base64') }),
  );
  expect(put.ETag).toBe(`"${md5.toString('hex')}"`);
});

const wrong: [string, Partial<PutObjectCommandInput>, string][] = [
  ['CRC32', { ChecksumCRC32: 'AAAAAA==' }, '400 BadDigest'],
  ['CRC32C', { ChecksumCRC32C: 'AAAAAA==' }, '400 BadDigest'],
  ['CRC64NVME', { ChecksumCRC64NVME: 'AAAAAAAAAAA=' }, '400 BadDigest'],
  ['SHA1', { ChecksumSHA1: Buffer.alloc(20).toString('base64') }, '400 BadDigest'],
  ['SHA256', { ChecksumSHA256: Buffer.alloc(32).toString('base64') }, '400 BadDigest'],
  ['MD5', { ContentMD5: Buffer.alloc(16).toString('base64') }, '400 BadDigest'],
  ['malformed MD5', { ContentMD5: 'nonsense' }, '400 InvalidDigest'],
  ['malformed CRC32', { ChecksumCRC32: 'AAAA' }, '400 InvalidRequest'],
];

test.each(wrong)('refuses a wrong %s and keeps what was there', async (_name, claim, error) => {
  const server = await testServer();
  const client = testClient(server);
  expect(
    await failure(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new', ...claim }))),
  ).toBe(error);
  expect(await server.objects(Bucket)).toEqual([]);
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'old' }));
  expect(
    await failure(client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'new', ...claim }))),
  ).toBe(error);
  expect((await server.readObject(Bucket, 'k')).toString()).toBe('old');
});
