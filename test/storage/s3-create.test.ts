import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { FaultRule, S3Server } from '../support/s3/server.ts';
import { testClient, testServer } from '../support/s3/test-setup.ts';
import { failureOf, testStore } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/manifest.json';
const TYPE = 'application/json';
const MANIFEST = Buffer.from('{"format":1}\n');
const OTHER = '{"format":2}\n';

const asked = (server: S3Server) =>
  server.requests.map(({ operation, status }) => `${operation} ${status}`);
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
  expect(failure).toMatchObject({
    kind: 'upload',
    lines: [expect.stringContaining(`s3://box/${KEY}`)],
  });
  expect(failure.message).toContain('PreconditionFailed');
  expect(String(await server.readObject('box', KEY))).toBe(OTHER);
  expect(asked(server)).toEqual(['PutObject 200', 'PutObject 412']);
  expect(retries).toEqual([]);

  await failureOf(store.create(KEY, Buffer.from(OTHER), TYPE));
});

test.each<FaultRule>([
  { action: { kind: 'lost-answer' } },
  { action: { kind: 'cut-answer' } },
  { times: 2, action: { kind: 'lost-answer' } },
])(
  'a refusal after an own attempt without an answer is an acknowledgement: $action.kind',
  async (fault) => {
    // The role may not read, so the refusal is the only information.
    const server = await testServer({ deny: ['HeadObject', 'GetObject', 'ListObjectsV2'] });
    const { store, retries } = testStore(server);
    server.faults.add({ operation: 'PutObject', ...fault });
    const answer = await store.create(KEY, MANIFEST, TYPE);
    const [object] = await server.objects('box');
    expect(answer).toEqual({ key: KEY, bytes: MANIFEST.length, crc32: object?.checksum.value });
    expect(asked(server)).toEqual([expect.anything(), 'PutObject 412']);
    expect(retries.length).toBe(1);
  },
);

test('a refusal after a lost answer and a reset is an acknowledgement', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  server.faults.add({ operation: 'PutObject', action: { kind: 'reset' } });
  await store.create(KEY, MANIFEST, TYPE);
  expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
});

test('a refusal after a 5xx answer is an acknowledgement of that write', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'PutObject', action: { kind: 'lost-answer' } });
  server.faults.add({
    operation: 'PutObject',
    action: { kind: 'error', status: 500, code: 'InternalError' },
  });
  await store.create(KEY, MANIFEST, TYPE);
  expect(asked(server)).toEqual(['PutObject 0', 'PutObject 500', 'PutObject 412']);
});

test.each([
  [
    '409 ConditionalRequestConflict',
    { kind: 'error', status: 409, code: 'ConditionalRequestConflict' },
  ],
  ['403 RequestTimeTooSkewed', { kind: 'clock-skew' }],
  ['400 BadDigest', { kind: 'error', status: 400, code: 'BadDigest' }],
] as const)(
  'a refusal after %s is a failure: that answer proves that nothing was written',
  async (_what, action) => {
    const server = await testServer();
    await putOther(server);
    const { store, retries } = testStore(server);
    server.faults.add({ operation: 'PutObject', action });
    const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
    expect(failure).toMatchObject({
      kind: 'upload',
      message: expect.stringContaining('PreconditionFailed'),
    });
    expect(retries.length).toBe(1);
    expect(String(await server.readObject('box', KEY))).toBe(OTHER);
  },
);

test('a write that conflicts with another one retries', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  const action = { kind: 'error', status: 409, code: 'ConditionalRequestConflict' } as const;
  server.faults.add({ operation: 'PutObject', times: 2, action });
  await store.create(KEY, MANIFEST, TYPE);
  expect(retries).toMatchObject([
    {
      operation: 'PutObject',
      key: KEY,
      reason: expect.stringContaining('ConditionalRequestConflict'),
    },
    { operation: 'PutObject', key: KEY },
  ]);
  expect(await server.readObject('box', KEY)).toEqual(MANIFEST);
});

test('a denied manifest is a failure at once', async () => {
  const server = await testServer({ deny: ['PutObject'] });
  const { store, retries } = testStore(server);
  const failure = await failureOf(store.create(KEY, MANIFEST, TYPE));
  expect(failure).toMatchObject({
    kind: 'upload',
    message: expect.stringMatching(/access denied/),
  });
  expect(retries).toEqual([]);
});
