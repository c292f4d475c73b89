import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import type { FaultRule, Operation } from '../support/s3/server.ts';
import { mebibyte, sampleBytes, testClient, testServer } from '../support/s3/test-setup.ts';
import { failureOf, streamOf, testStore } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/shop.orders.sql.zst';
const TYPE = 'application/zstd';
const SMALL = sampleBytes(100_000);
const LARGE = sampleBytes(12 * mebibyte + 7);

const checksumOf = (bytes: Buffer) => encodeCrc32(crc32(bytes));

test('a small body goes in one PutObject, whose CRC32 is stored with the object', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  const answer = await store.upload(KEY, streamOf(SMALL), TYPE);
  expect(answer).toEqual({ key: KEY, bytes: SMALL.length, crc32: checksumOf(SMALL) });
  expect(server.requests).toMatchObject([{ operation: 'PutObject', key: KEY, status: 200 }]);
  expect((await server.readObject('box', KEY)).equals(SMALL)).toBe(true);
  const checksum = { algorithm: 'CRC32', type: 'FULL_OBJECT', value: checksumOf(SMALL) };
  const attributes = { contentType: TYPE };
  expect(await server.objects('box')).toMatchObject([{ key: KEY, checksum, attributes }]);
  expect(retries).toEqual([]);
});

test('a large body goes in parts and is one object with a checksum over all of it', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const acknowledged: number[] = [];
  const answer = await store.upload(KEY, streamOf(LARGE), TYPE, {
    onAcknowledged: (bytes) => acknowledged.push(bytes),
  });
  expect(answer).toEqual({ key: KEY, bytes: LARGE.length, crc32: checksumOf(LARGE) });
  const asked = server.requests.map(({ operation, partNumber }) =>
    `${operation} ${partNumber ?? ''}`.trim(),
  );
  expect(asked.toSorted()).toEqual(
    [
      'CreateMultipartUpload',
      'UploadPart 1',
      'UploadPart 2',
      'UploadPart 3',
      'CompleteMultipartUpload',
    ].toSorted(),
  );
  expect((await server.readObject('box', KEY)).equals(LARGE)).toBe(true);
  const checksum = { algorithm: 'CRC32', type: 'FULL_OBJECT', value: checksumOf(LARGE) };
  expect(await server.objects('box')).toMatchObject([{ key: KEY, size: LARGE.length, checksum }]);
  expect(await server.multipartUploads('box')).toEqual([]);
  expect(acknowledged).toEqual(acknowledged.toSorted((left, right) => left - right));
  expect(acknowledged.at(-1)).toBeGreaterThanOrEqual(LARGE.length);
});

test.each([0, 1, 5 * mebibyte - 1, 5 * mebibyte, 5 * mebibyte + 1, 10 * mebibyte])(
  'a body of %i bytes arrives whole',
  async (size) => {
    const server = await testServer();
    const { store } = testStore(server);
    const body = sampleBytes(size + 4).subarray(0, size);
    const answer = await store.upload(KEY, streamOf(body, mebibyte), TYPE);
    expect(answer).toEqual({ key: KEY, bytes: size, crc32: checksumOf(body) });
    expect((await server.readObject('box', KEY)).equals(body)).toBe(true);
    expect(await server.multipartUploads('box')).toEqual([]);
  },
);

test('data files get storage class, KMS key and tags, the manifest all but the class', async () => {
  const server = await testServer();
  const { store } = testStore(server, {
    storageClass: 'STANDARD_IA',
    kmsKeyId: 'alias/backups',
    objectTags: 'team=data%20base&kind=backup',
  });
  await store.upload('small', streamOf(SMALL), TYPE);
  await store.upload('large', streamOf(LARGE), TYPE);
  await store.create('manifest', SMALL, 'application/json');
  const attributes = Object.fromEntries(
    (await server.objects('box')).map((object) => [object.key, object.attributes]),
  );
  const common = {
    encryption: 'aws:kms',
    kmsKeyId: 'alias/backups',
    tags: { team: 'data base', kind: 'backup' },
  };
  expect(attributes).toMatchObject({
    small: { ...common, storageClass: 'STANDARD_IA', contentType: TYPE },
    large: { ...common, storageClass: 'STANDARD_IA', contentType: TYPE },
    manifest: { ...common, storageClass: 'STANDARD', contentType: 'application/json' },
  });
});

test('nothing of it is sent where nothing is configured', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  await store.upload(KEY, streamOf(SMALL), TYPE);
  const [object] = await server.objects('box');
  expect(object?.attributes).toEqual({
    metadata: {},
    contentType: TYPE,
    storageClass: 'STANDARD',
    encryption: 'AES256',
    tags: {},
  });
});

const error = (status: number, code: string, afterBytes = 0) =>
  ({ kind: 'error', status, code, afterBytes }) as const;

const TRANSIENT: readonly (readonly [string, Operation, Omit<FaultRule, 'operation'>])[] = [
  ['500 InternalError', 'PutObject', { action: error(500, 'InternalError') }],
  ['500 InternalError', 'UploadPart', { action: error(500, 'InternalError') }],
  ['503 SlowDown several times', 'PutObject', { times: 4, action: error(503, 'SlowDown') }],
  ['503 SlowDown several times', 'UploadPart', { times: 4, action: error(503, 'SlowDown') }],
  ['503 SlowDown', 'CreateMultipartUpload', { times: 2, action: error(503, 'SlowDown') }],
  [
    '503 ServiceUnavailable',
    'CompleteMultipartUpload',
    { action: error(503, 'ServiceUnavailable') },
  ],
  [
    'an error in the middle of the body',
    'UploadPart',
    { action: error(503, 'SlowDown', mebibyte) },
  ],
  ['a reset before the body', 'PutObject', { action: { kind: 'reset' } }],
  ['a reset before the body', 'UploadPart', { times: 2, action: { kind: 'reset' } }],
  [
    'a reset in the middle of the body',
    'PutObject',
    { action: { kind: 'reset', afterBytes: 50_000 } },
  ],
  [
    'a reset in the middle of the body',
    'UploadPart',
    { action: { kind: 'reset', afterBytes: mebibyte } },
  ],
  ['a reset', 'CompleteMultipartUpload', { action: { kind: 'reset' } }],
  [
    'an error document in a 200 answer',
    'CompleteMultipartUpload',
    { times: 2, action: { kind: 'error-in-ok', code: 'InternalError' } },
  ],
  ['a lost answer', 'PutObject', { action: { kind: 'lost-answer' } }],
  ['a lost answer', 'UploadPart', { times: 2, action: { kind: 'lost-answer' } }],
  ['a lost answer', 'CompleteMultipartUpload', { action: { kind: 'lost-answer' } }],
  ['an answer cut in the middle', 'PutObject', { action: { kind: 'cut-answer' } }],
  ['an answer cut in the middle', 'CompleteMultipartUpload', { action: { kind: 'cut-answer' } }],
  ['a body cut short on its way', 'UploadPart', { action: error(400, 'IncompleteBody', mebibyte) }],
  ['a body changed on its way', 'PutObject', { action: error(400, 'BadDigest', 1) }],
  ['a clock that is off', 'PutObject', { action: { kind: 'clock-skew' } }],
];

test.each(TRANSIENT)('%s at %s is retried until it works', async (_what, operation, fault) => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  const struck = server.faults.add({ operation, ...fault });
  const body = operation === 'PutObject' ? SMALL : LARGE;
  const answer = await store.upload(KEY, streamOf(body), TYPE);
  expect(answer).toEqual({ key: KEY, bytes: body.length, crc32: checksumOf(body) });
  expect([struck.hits, retries.length]).toEqual([fault.times ?? 1, fault.times ?? 1]);
  for (const retry of retries) {
    expect(retry).toMatchObject({ operation, key: KEY });
    expect(retry.reason).toMatch(/^\S.*\S$/);
  }
  expect((await server.readObject('box', KEY)).equals(body)).toBe(true);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test.each([
  ['in one request', SMALL],
  ['in one request as large as a part', LARGE.subarray(0, 5 * mebibyte)],
  ['in parts', LARGE],
])('a body %s does not replace an object that is there', async (_how, body) => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  await testClient(server).send(new PutObjectCommand({ Bucket: 'box', Key: KEY, Body: 'other' }));
  const failure = await failureOf(store.upload(KEY, streamOf(body), TYPE));
  expect(failure).toMatchObject({
    kind: 'upload',
    message: expect.stringContaining('PreconditionFailed'),
  });
  expect(failure.message).toContain(`s3://box/${KEY}`);
  expect(String(await server.readObject('box', KEY))).toBe('other');
  expect(await server.multipartUploads('box')).toEqual([]);
  expect(retries).toEqual([]);
});

test('a body as large as a part survives a lost answer and an early refusal', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  const body = LARGE.subarray(0, 5 * mebibyte);
  const answer = await store.upload(KEY, streamOf(body), TYPE);
  expect(answer).toEqual({ key: KEY, bytes: body.length, crc32: checksumOf(body) });
});
