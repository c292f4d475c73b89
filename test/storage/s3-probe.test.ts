import { expect, test } from 'vitest';
import type { StoreConfig } from '../../app/config.ts';
import type { Operation, S3Server } from '../support/s3/server.ts';
import { testServer } from '../support/s3/test-setup.ts';
import { failureOf, testStore } from '../support/s3/test-store.ts';
import { operations } from '../support/s3/types.ts';

const KEY = 'db/20261122T030000Z/manifest.json';
/** What s3:PutObject and s3:AbortMultipartUpload allow. */
const ADDING: readonly Operation[] = [
  'PutObject',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
];

test.each([
  ['allowed everything', []],
  ['allowed to add only', operations.filter((operation) => !ADDING.includes(operation))],
])('a role %s passes, and nothing is left', async (_who, deny) => {
  const server = await testServer({ deny });
  const { store } = testStore(server);
  await store.probe(KEY);
  expect(server.requests.map(({ operation, key, status }) => [operation, key, status])).toEqual([
    ['CreateMultipartUpload', KEY, 200],
    ['AbortMultipartUpload', KEY, 204],
  ]);
  expect(await server.objects('box')).toEqual([]);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test('KMS key and tags are probed too', async () => {
  const server = await testServer();
  const { store } = testStore(server, { kmsKeyId: 'alias/backups', objectTags: 'a=1&a=2' });
  const failure = await failureOf(store.probe(KEY));
  expect(failure).toMatchObject({
    kind: 'preflight',
    message: expect.stringContaining('InvalidTag'),
  });
});

test('a short outage is waited through', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  server.faults.add({ times: 2, action: { kind: 'error', status: 503, code: 'SlowDown' } });
  await store.probe(KEY);
  expect(retries).toMatchObject([{ operation: 'CreateMultipartUpload', key: KEY }, {}]);
});

const redirect = {
  kind: 'error',
  status: 301,
  code: 'PermanentRedirect',
  headers: { 'x-amz-bucket-region': 'us-west-2' },
} as const;

const REFUSALS: readonly (readonly [
  string,
  Partial<StoreConfig>,
  (server: S3Server) => unknown,
  RegExp,
])[] = [
  [
    'a bucket that does not exist',
    { bucket: 'nowhere' },
    () => {},
    /no bucket nowhere; check BUCKET/,
  ],
  [
    'a role that may not write',
    {},
    (server) => server.setDeny(['CreateMultipartUpload']),
    /access denied.*s3:PutObject/,
  ],
  [
    'a role that may not abort',
    {},
    (server) => server.setDeny(['AbortMultipartUpload']),
    /access denied.*s3:AbortMultipartUpload/,
  ],
  [
    'a bucket of another region',
    {},
    (server) => server.faults.add({ action: redirect }),
    /not in REGION=eu-central-1/,
  ],
  [
    'nobody at the endpoint',
    { retrySeconds: 0 },
    (server) => server.close(),
    /nothing answers at the endpoint/,
  ],
];

test.each(REFUSALS)(
  '%s is refused with one clear line',
  async (_what, config, prepare, message) => {
    const server = await testServer();
    const { store, retries } = testStore(server, config);
    await prepare(server);
    const failure = await failureOf(store.probe(KEY));
    expect(failure.kind).toBe('preflight');
    expect(failure.lines).toEqual([expect.stringMatching(message)]);
    expect(failure.message).toContain(`bucket ${config.bucket ?? 'box'} cannot be written to`);
    expect(failure.message).not.toContain('\n');
    expect(retries).toEqual([]);
  },
);
