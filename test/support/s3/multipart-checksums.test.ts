import { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { expect, test } from 'vitest';
import { failure, mebibyte, sampleBytes, slices, testClient, testServer } from './test-setup.ts';
import { Bucket, base64Crc, begin, Key } from './test-upload.ts';

test('lib-storage uploads with composite CRC32 into one file with the same bytes', async () => {
  const server = await testServer();
  const client = testClient(server);
  const body = sampleBytes(17 * mebibyte + 5);
  const upload = new Upload({
    client,
    params: { Bucket, Key, Body: Readable.from(slices(body)), Metadata: { a: 'b' } },
    partSize: 5 * mebibyte,
  });
  const done = await upload.done();
  const digests = [...slices(body, 5 * mebibyte)].map((part) =>
    Buffer.from(base64Crc(part), 'base64'),
  );
  expect(done).toMatchObject({
    ChecksumCRC32: `${base64Crc(Buffer.concat(digests))}-4`,
    ChecksumType: 'COMPOSITE',
  });
  expect(done.ETag).toMatch(/^"[0-9a-f]{32}-4"$/);
  expect((await server.readObject(Bucket, Key)).equals(body)).toBe(true);
  expect(await server.multipartUploads(Bucket)).toEqual([]);
  const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
  expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
  expect(got).toMatchObject({ Metadata: { a: 'b' }, ChecksumType: 'COMPOSITE' });
  const parts = server.requests.filter((request) => request.operation === 'UploadPart');
  expect(parts.map((request) => request.partNumber).sort()).toEqual([1, 2, 3, 4]);
});

test('a full-object CRC32 covers the whole; a wrong claimed CRC or size is refused', async () => {
  const server = await testServer();
  const client = testClient(server);
  const body = sampleBytes(12 * mebibyte);
  const upload = await begin(client, { ChecksumType: 'FULL_OBJECT' });
  const parts = [];
  for (const [index, slice] of [...slices(body, 5 * mebibyte)].entries())
    parts.push(await upload.part(index + 1, slice));
  const bare = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }));
  expect(await failure(upload.complete(bare, { ChecksumCRC32: 'AAAAAA==' }))).toBe('400 BadDigest');
  expect(await failure(upload.complete(bare, { MpuObjectSize: 7 }))).toBe('400 InvalidRequest');
  expect(await failure(upload.complete(bare, { ChecksumType: 'COMPOSITE' }))).toBe(
    '400 InvalidRequest',
  );
  expect(await server.objects(Bucket)).toEqual([]);
  const done = await upload.complete(bare, {
    ChecksumCRC32: base64Crc(body),
    ChecksumType: 'FULL_OBJECT',
    MpuObjectSize: body.length,
  });
  expect(done).toMatchObject({ ChecksumCRC32: base64Crc(body), ChecksumType: 'FULL_OBJECT' });
});

test('an upload without an algorithm refuses other checksums and ends with CRC64NVME', async () => {
  const server = await testServer();
  const upload = await begin(testClient(server, { requestChecksumCalculation: 'WHEN_REQUIRED' }), {
    ChecksumAlgorithm: undefined,
  });
  const body = sampleBytes(1000);
  expect(await failure(upload.part(1, body, { ChecksumCRC32: base64Crc(body) }))).toBe(
    '400 InvalidRequest',
  );
  const done = await upload.complete([await upload.part(1, body)]);
  expect(done.ChecksumType).toBe('FULL_OBJECT');
  expect(done.ChecksumCRC64NVME).toMatch(/^.{11}=$/);
});
