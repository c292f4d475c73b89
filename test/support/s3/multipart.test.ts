import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandInput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { expect, test } from 'vitest';
import {
  failure,
  mebibyte,
  sampleBytes,
  testClient,
  testDirectory,
  testServer,
} from './test-setup.ts';

const Bucket = 'box';
const Key = 'big';

function base64Crc(bytes: Buffer): string {
  const out = Buffer.alloc(4);
  out.writeUInt32BE(crc32(bytes));
  return out.toString('base64');
}

/** An upload begun, with the calls a test makes on it. */
async function begin(client: S3Client, input: Partial<CreateMultipartUploadCommandInput> = {}) {
  const created = await client.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ChecksumAlgorithm: 'CRC32', ...input }),
  );
  const UploadId = created.UploadId ?? '';
  const target = { Bucket, Key: input.Key ?? Key, UploadId };
  return {
    UploadId,
    part: async (PartNumber: number, Body: Buffer, more: Partial<UploadPartCommandInput> = {}) => {
      const { ETag, ChecksumCRC32, ChecksumCRC64NVME } = await client.send(
        new UploadPartCommand({ ...target, PartNumber, Body, ...more }),
      );
      return { PartNumber, ETag, ChecksumCRC32, ChecksumCRC64NVME };
    },
    complete: (
      Parts: { PartNumber: number; ETag: string | undefined; ChecksumCRC32?: string | undefined }[],
      more: Partial<CompleteMultipartUploadCommandInput> = {},
    ) =>
      client.send(
        new CompleteMultipartUploadCommand({ ...target, MultipartUpload: { Parts }, ...more }),
      ),
    abort: () => client.send(new AbortMultipartUploadCommand(target)),
  };
}

test('lib-storage uploads with composite CRC32, and the object is its bytes in one file', async () => {
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

test('a full-object CRC32 is that of the whole, and a wrong claim of it or of the size is refused', async () => {
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

test('an upload that names no algorithm takes no other checksum and ends with CRC64NVME', async () => {
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

test('holds parts to the rules', async () => {
  const server = await testServer();
  const client = testClient(server);
  const upload = await begin(client);
  const small = await upload.part(1, sampleBytes(1000));
  const large = await upload.part(2, sampleBytes(5 * mebibyte));
  const last = await upload.part(9, sampleBytes(10));
  expect(await failure(upload.complete([small, large]))).toBe('400 EntityTooSmall');
  expect(await failure(upload.complete([last, large]))).toBe('400 InvalidPartOrder');
  expect(await failure(upload.complete([large, large]))).toBe('400 InvalidPartOrder');
  expect(await failure(upload.complete([large, { ...last, PartNumber: 3 }]))).toBe(
    '400 InvalidPart',
  );
  expect(await failure(upload.complete([large, { ...last, ETag: large.ETag }]))).toBe(
    '400 InvalidPart',
  );
  expect(await failure(upload.complete([large, { ...last, ChecksumCRC32: 'AAAAAA==' }]))).toBe(
    '400 InvalidPart',
  );
  expect(await failure(upload.complete([large, { ...last, ChecksumCRC32: undefined }]))).toBe(
    '400 InvalidRequest',
  );
  expect(await failure(upload.complete([]))).toBe('400 MalformedXML');
  expect(await failure(upload.part(0, sampleBytes(1)))).toBe('400 InvalidArgument');
  expect(await failure(upload.part(10_001, sampleBytes(1)))).toBe('400 InvalidArgument');
  const sha = { ChecksumAlgorithm: 'SHA256' } as const;
  expect(await failure(upload.part(3, sampleBytes(1), sha))).toBe('400 InvalidRequest');
  const bad = { ChecksumCRC32: 'AAAAAA==' };
  expect(await failure(upload.part(2, sampleBytes(5 * mebibyte, 2), bad))).toBe('400 BadDigest');
  await upload.complete([large, last]);
  const whole = Buffer.concat([sampleBytes(5 * mebibyte), sampleBytes(10)]);
  expect((await server.readObject(Bucket, Key)).equals(whole)).toBe(true);
  expect(
    await failure(begin(client, { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' })),
  ).toBe('400 InvalidRequest');
});

test('assembles parts sent again, of several sizes and in any order', async () => {
  const server = await testServer();
  const upload = await begin(testClient(server), { ChecksumType: 'FULL_OBJECT' });
  const a = randomBytes(5 * mebibyte);
  const b = randomBytes(6 * mebibyte + 3);
  const c = randomBytes(5 * mebibyte);
  const last = randomBytes(77);
  const parts = [
    await upload.part(8, last),
    await upload.part(5, c),
    await upload.part(2, randomBytes(5 * mebibyte)),
    await upload.part(2, a),
    await upload.part(3, b),
  ];
  const [eight, five, , two, three] = parts;
  if (!eight || !five || !two || !three) throw new Error('unreachable');
  const done = await upload.complete([two, three, five, eight]);
  const whole = Buffer.concat([a, b, c, last]);
  expect(done.ChecksumCRC32).toBe(base64Crc(whole));
  expect((await server.readObject(Bucket, Key)).equals(whole)).toBe(true);
});

test('a write nobody waits for any more does not reach the finished object', async () => {
  const server = await testServer();
  const client = testClient(server);
  const upload = await begin(client);
  server.faults.add({ operation: 'UploadPart', action: { kind: 'slow', bytesPerSecond: 100_000 } });
  const stuck = upload.part(1, Buffer.alloc(5 * mebibyte)).then(
    () => 'stored',
    () => 'refused',
  );
  await expect.poll(() => server.inFlight()).toBe(1);
  const parts = [
    await upload.part(1, sampleBytes(5 * mebibyte)),
    await upload.part(2, sampleBytes(9)),
  ];
  await upload.complete(parts);
  await server.close();
  expect(await stuck).toBe('refused');
  const whole = Buffer.concat([sampleBytes(5 * mebibyte), sampleBytes(9)]);
  expect((await server.readObject(Bucket, Key)).equals(whole)).toBe(true);
});

test('completing again answers the same while the object stands, and aborting ends an upload', async () => {
  const server = await testServer();
  const client = testClient(server);
  const upload = await begin(client);
  const parts = [await upload.part(1, sampleBytes(10))];
  const [once, twice] = await Promise.all([upload.complete(parts), upload.complete(parts)]);
  expect(twice.ETag).toBe(once.ETag);
  expect((await upload.complete(parts)).ETag).toBe(once.ETag);
  expect(await failure(upload.complete(parts, { IfNoneMatch: '*' }))).toBe(
    '412 PreconditionFailed',
  );
  expect(await failure(upload.part(2, sampleBytes(10)))).toBe('404 NoSuchUpload');
  await client.send(new PutObjectCommand({ Bucket, Key, Body: 'other' }));
  expect(await failure(upload.complete(parts))).toBe('404 NoSuchUpload');

  const second = await begin(client);
  const part = await second.part(1, sampleBytes(10));
  expect(await failure(second.complete([part], { IfNoneMatch: '*' }))).toBe(
    '412 PreconditionFailed',
  );
  await second.abort();
  expect(await failure(second.part(1, sampleBytes(10)))).toBe('404 NoSuchUpload');
  expect(await failure(second.complete([part]))).toBe('404 NoSuchUpload');
  expect(await failure(second.abort())).toBe('404 NoSuchUpload');
});

test('lists parts and uploads page by page, also after a restart, which an upload survives', async () => {
  const dir = await testDirectory();
  const first = await testServer({ dir });
  const upload = await begin(testClient(first));
  const parts = [];
  for (let number = 1; number <= 3; number += 1)
    parts.push(await upload.part(number, sampleBytes(5 * mebibyte, number)));
  for (const key of ['x/1', 'x/2', 'z']) await begin(testClient(first), { Key: key });
  await first.close();

  const second = await testServer({ dir });
  const client = testClient(second);
  const target = { Bucket, Key, UploadId: upload.UploadId };
  const page = await client.send(new ListPartsCommand({ ...target, MaxParts: 2 }));
  expect(page).toMatchObject({
    IsTruncated: true,
    NextPartNumberMarker: '2',
    ChecksumType: 'COMPOSITE',
  });
  const rest = await client.send(new ListPartsCommand({ ...target, PartNumberMarker: '2' }));
  expect(rest.Parts).toMatchObject([
    {
      PartNumber: 3,
      Size: 5 * mebibyte,
      ETag: parts[2]?.ETag,
      ChecksumCRC32: parts[2]?.ChecksumCRC32,
    },
  ]);

  const list = (input: object) =>
    client.send(new ListMultipartUploadsCommand({ Bucket, ...input }));
  expect((await list({})).Uploads?.map((item) => item.Key)).toEqual([Key, 'x/1', 'x/2', 'z']);
  const head = await list({ Delimiter: '/', MaxUploads: 2 });
  expect(head).toMatchObject({
    IsTruncated: true,
    Uploads: [{ Key }],
    CommonPrefixes: [{ Prefix: 'x/' }],
  });
  const tail = await list({ Delimiter: '/', KeyMarker: head.NextKeyMarker });
  expect(tail.Uploads?.map((item) => item.Key)).toEqual(['z']);

  const afresh = testClient(second);
  const MultipartUpload = { Parts: parts };
  await afresh.send(new CompleteMultipartUploadCommand({ ...target, MultipartUpload }));
  const whole = Buffer.concat([1, 2, 3].map((number) => sampleBytes(5 * mebibyte, number)));
  expect((await second.readObject(Bucket, Key)).equals(whole)).toBe(true);
});

function* slices(bytes: Buffer, size = 64 * 1024): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
