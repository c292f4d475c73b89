import { PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import type { FaultRule, Operation, S3Server } from '../support/s3/server.ts';
import { testClient, testServer } from '../support/s3/test-setup.ts';
import { failureOf, testStore } from '../support/s3/test-store.ts';
import { operations } from '../support/s3/types.ts';

const KEY = 'db/20261122T030000Z/claim.json';
const CLAIM = Buffer.from('{"run":"one"}\n');
const ALWAYS = Number.POSITIVE_INFINITY;
const ADDING: readonly Operation[] = ['PutObject', 'CreateMultipartUpload', 'AbortMultipartUpload'];

const error = (status: number, code: string): FaultRule['action'] => ({
  kind: 'error',
  status,
  code,
});
const asked = (server: S3Server) =>
  server.requests.map(({ operation, status }) => `${operation} ${status}`);

test('a free folder is claimed: the first write succeeds, and the second is refused', async () => {
  const server = await testServer({ deny: operations.filter((name) => !ADDING.includes(name)) });
  const { store, retries } = testStore(server, { kmsKeyId: 'alias/backups', objectTags: 'a=1' });
  const claim = await store.claim(KEY, CLAIM);
  const [object] = await server.objects('box');
  expect(claim).toEqual({ key: KEY, bytes: CLAIM.length, crc32: object?.checksum.value });
  expect(object).toMatchObject({
    checksum: { algorithm: 'CRC32', type: 'FULL_OBJECT' },
    attributes: { contentType: 'application/json', kmsKeyId: 'alias/backups', tags: { a: '1' } },
  });
  expect(asked(server)).toEqual(['PutObject 200', 'PutObject 412']);
  expect(retries).toEqual([]);
});

test("a folder with another run's claim is taken, and the claim stays unchanged", async () => {
  const server = await testServer();
  const { store } = testStore(server);
  await testStore(server).store.claim(KEY, CLAIM);
  expect(await store.claim(KEY, Buffer.from('{"run":"two"}\n'))).toBeUndefined();
  expect(await server.readObject('box', KEY)).toEqual(CLAIM);
});

test('exactly one of two runs gets a folder that both claim at once, 50 times', async () => {
  const server = await testServer();
  const runs = ['left', 'right'].map((name) => ({ name, ...testStore(server) }));
  for (let pair = 0; pair < 50; pair += 1) {
    const key = `db/pair-${pair}/claim.json`;
    const claims = await Promise.all(
      runs.map(async ({ name, store }) =>
        (await store.claim(key, Buffer.from(name))) === undefined ? [] : [name],
      ),
    );
    expect(claims.flat()).toHaveLength(1);
    expect(String(await server.readObject('box', key))).toBe(claims.flat()[0]);
  }
});

test.each([
  ['a lost answer', 1, { kind: 'lost-answer' }],
  ['an answer cut in the middle', 1, { kind: 'cut-answer' }],
  ['several lost answers', 3, { kind: 'lost-answer' }],
] as const)(
  "after %s the folder counts as taken, although the claim is this run's own",
  async (_what, times, action) => {
    const server = await testServer();
    const { store, retries } = testStore(server);
    server.faults.add({ operation: 'PutObject', times, action });
    expect(await store.claim(KEY, CLAIM)).toBeUndefined();
    expect(asked(server).at(-1)).toBe('PutObject 412');
    expect(retries).toHaveLength(1);
    expect(await server.readObject('box', KEY)).toEqual(CLAIM);
  },
);

test.each<readonly [string, FaultRule]>([
  ['a write that never arrived', { times: 2, action: { kind: 'reset' } }],
  ['throttling', { times: 3, action: error(503, 'SlowDown') }],
  ['a conflict with another write', { times: 2, action: error(409, 'ConditionalRequestConflict') }],
  ['a lost answer to the second write', { skip: 1, action: { kind: 'lost-answer' } }],
])('a claim survives %s', async (_what, fault) => {
  const server = await testServer();
  const { store } = testStore(server);
  const struck = server.faults.add({ operation: 'PutObject', ...fault });
  expect(await store.claim(KEY, CLAIM)).toMatchObject({ key: KEY });
  expect(struck.hits).toBe(fault.times ?? 1);
});

const REFUSED: readonly (readonly [string, FaultRule['action'], RegExp])[] = [
  [
    'that does not implement conditional writes',
    error(501, 'NotImplemented'),
    /^the store of bucket box lacks conditional writes \(If-None-Match: \*\): .*use Amazon S3 or a store that does conditional writes \(NotImplemented: .*\)$/,
  ],
  [
    'that ignores the condition',
    { kind: 'ignore-condition' },
    /^the store of bucket box ignores conditional writes \(If-None-Match: \*\): .*use Amazon S3 or a store that does conditional writes \(it replaced db\/.*\/claim\.json\)$/,
  ],
  [
    'that takes no such header',
    error(400, 'InvalidArgument'),
    /^bucket box cannot be written to: InvalidArgument/,
  ],
  [
    'that answers no checksum',
    { kind: 'no-checksum' },
    /^bucket box cannot be written to: .*CRC32/,
  ],
  [
    'that denies the write',
    error(403, 'AccessDenied'),
    /^bucket box cannot be written to: access denied/,
  ],
];

test.each(REFUSED)('a store %s is refused with one clear line', async (_what, action, message) => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  server.faults.add({ operation: 'PutObject', times: ALWAYS, action });
  const failure = await failureOf(store.claim(KEY, CLAIM));
  expect(failure.kind).toBe('preflight');
  expect(failure.lines).toEqual([expect.stringMatching(message)]);
  expect(retries).toEqual([]);
});

test('a folder counts as taken when the store answers 412 to every request', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({
    operation: 'PutObject',
    times: ALWAYS,
    action: error(412, 'PreconditionFailed'),
  });
  expect(await store.claim(KEY, CLAIM)).toBeUndefined();
});

test('an object of another program keeps a run from claiming the folder', async () => {
  const server = await testServer();
  await testClient(server).send(new PutObjectCommand({ Bucket: 'box', Key: KEY, Body: 'foreign' }));
  expect(await testStore(server).store.claim(KEY, CLAIM)).toBeUndefined();
});
