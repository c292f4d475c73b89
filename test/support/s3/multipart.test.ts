import { randomBytes } from 'node:crypto';
import {
  CompleteMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import {
  failure,
  mebibyte,
  sampleBytes,
  testClient,
  testDirectory,
  testServer,
} from './test-setup.ts';
import { Bucket, base64Crc, begin, Key } from './test-upload.ts';

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

test('a write of an abandoned part does not reach the finished object', async () => {
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

test('a repeated completion answers the same while the object stands; abort ends it', async () => {
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

test('lists parts and uploads page by page; an upload survives a restart', async () => {
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
