import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { Operation, S3Server } from '../support/s3/server.ts';
import { testClient, testServer } from '../support/s3/test-setup.ts';
import { failureOf, testStore } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/manifest.json';
const TYPE = 'application/json';
const MANIFEST = Buffer.from('{"format":1}\n');
const OTHER = '{"format":2}\n';

const asked = (server: S3Server) => server.requests.map(({ operation, status }) => `${operation} ${status}`);
const putOther = (server: S3Server) =>
  testClient(server).send(new PutObjectCommand({ Bucket: 'box', Key: KEY, Body: OTHER }));

test('what does not exist yet is written with its checksum', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const answer = await store.create(KEY, MANIFEST, TYPE);
  const [object] = await server.objects('box');
  expect(answer).toEqual({ key: KEY, bytes: MANIFEST.length, crc32: object?.checksum.value });
  expect(object).toMatchObject({
    checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT' },
    attributes: { contentType: TYPE },
  });
  expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
});

test('what exists is refused and stays as it is, also when it is the same', async () => {
  const server = await testServer();
  await putOther(server);
  const { store, retries } = testStore(server);
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure).toMatchObject({ kind: 'upload', lines: [expect.stringContaining(`s3://box/${KEY}`)] });
  expect(failure.message).toContain('PreconditionFailed');
  expect(String(await server.readObject('box', KEY))).toBe(OTHER);
  expect(asked(server)).toEqual(['PutObject 200', 'PutObject 412']);
  expect(retries).toEqual([]);

  await failureOf(store.create(KEY, Buffer.from(OTHER), TYPE));
});

test('a refusal by the own attempt whose answer was lost is none: the checksum tells', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  const answer = await store.create(KEY, MANIFEST, TYPE);
  const [object] = await server.objects('box');
  expect(answer).toEqual({ key: KEY, bytes: MANIFEST.length, crc32: object?.checksum.value });
  expect(asked(server)).toEqual(['PutObject 0', 'PutObject 412', 'HeadObject 200']);
  expect(retries.length).toBe(1);
});

test('several lost answers in a row are no different', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  server.faults.add({ operation: 'PutObject', action: { kind: 'reset' } });
  await store.create(KEY, MANIFEST, TYPE);
  expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
});

test.each<readonly Operation[]>([['HeadObject'], ['HeadObject', 'GetObject', 'ListObjectsV2']])(
  'where reading is denied (%s), the key tells',
  async (...denied) => {
    const server = await testServer({ deny: denied });
    const { store } = testStore(server);
    server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
    await store.create(KEY, MANIFEST, TYPE);
    expect(asked(server)).toEqual(['PutObject 0', 'PutObject 412', 'HeadObject 403']);
    expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
  },
);

test('a refusal after a retry by an object that is another one is a failure', async () => {
  const server = await testServer();
  await putOther(server);
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'reset' } });
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure).toMatchObject({ kind: 'upload', message: expect.stringContaining('PreconditionFailed') });
  expect(asked(server)).toEqual(['PutObject 200', 'PutObject 0', 'PutObject 412', 'HeadObject 200']);
  expect(String(await server.readObject('box', KEY))).toBe(OTHER);
});

test('an object without the checksum we would have sent is not taken for ours', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  server.faults.add({ operation: 'HeadObject', action: { kind: 'no-checksum' } });
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure.message).toContain('PreconditionFailed');
});

test('an outage while asking whose object it is leaves it a failure', async () => {
  const server = await testServer();
  const { store } = testStore(server, { retrySeconds: 1 });
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  const outage = { kind: 'error', status: 503, code: 'SlowDown' } as const;
  server.faults.add({ operation: 'HeadObject', times: Number.POSITIVE_INFINITY, action: outage });
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure).toMatchObject({ kind: 'upload', message: expect.stringContaining('PreconditionFailed') });
});

test('a conflict with another write is tried again', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  const action = { kind: 'error', status: 409, code: 'ConditionalRequestConflict' } as const;
  server.faults.add({ operation: 'PutObject', times: 2, action });
  await store.create(KEY, MANIFEST, TYPE);
  expect(retries).toMatchObject([
    { operation: 'PutObject', key: KEY, reason: expect.stringContaining('ConditionalRequestConflict') },
    { operation: 'PutObject', key: KEY },
  ]);
  expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
});

test('a denied manifest is a failure at once', async () => {
  const server = await testServer({ deny: ['PutObject'] });
  const { store, retries } = testStore(server);
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure).toMatchObject({ kind: 'upload', message: expect.stringMatching(/access denied/) });
  expect(retries).toEqual([]);
});
