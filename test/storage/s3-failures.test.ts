import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { Failure } from '../../app/errors.ts';
import type { FaultRule, Operation } from '../support/s3/server.ts';
import { mebibyte, sampleBytes, testServer } from '../support/s3/test-setup.ts';
import { failureOf, streamOf, testStore } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/shop.orders.sql.zst';
const TYPE = 'application/zstd';
const SMALL = sampleBytes(100_000);
const LARGE = sampleBytes(12 * mebibyte + 7);
const FOREVER = Number.POSITIVE_INFINITY;

const error = (status: number, code: string, headers: Record<string, string> = {}) =>
  ({ kind: 'error', status, code, headers }) as const;
const redirect = error(301, 'PermanentRedirect', { 'x-amz-bucket-region': 'us-west-2' });

const PERMANENT: readonly (readonly [string, Operation, FaultRule['action'], RegExp])[] = [
  ['403 AccessDenied', 'PutObject', error(403, 'AccessDenied'), /s3:PutObject.*AccessDenied/],
  [
    '403 AccessDenied',
    'CreateMultipartUpload',
    error(403, 'AccessDenied'),
    /s3:PutObject.*AccessDenied/,
  ],
  ['403 AccessDenied', 'UploadPart', error(403, 'AccessDenied'), /s3:PutObject.*AccessDenied/],
  [
    '403 AccessDenied',
    'CompleteMultipartUpload',
    error(403, 'AccessDenied'),
    /s3:PutObject.*AccessDenied/,
  ],
  [
    'AccessDenied in a 200 answer',
    'CompleteMultipartUpload',
    { kind: 'error-in-ok', code: 'AccessDenied' },
    /AccessDenied/,
  ],
  [
    '404 NoSuchBucket',
    'PutObject',
    error(404, 'NoSuchBucket'),
    /no bucket box.*REGION=eu-central-1/,
  ],
  ['404 NoSuchUpload', 'UploadPart', error(404, 'NoSuchUpload'), /NoSuchUpload/],
  ['a wrong region', 'PutObject', redirect, /not in REGION=eu-central-1/],
  ['a wrong region', 'CreateMultipartUpload', redirect, /not in REGION=eu-central-1/],
];

test.each(PERMANENT)(
  '%s at %s is not retried and named with the key',
  async (_what, operation, action, cause) => {
    const server = await testServer();
    const { store, retries } = testStore(server);
    server.faults.add({ operation, times: FOREVER, action });
    const body = streamOf(operation === 'PutObject' ? SMALL : LARGE);
    const failure = await failureOf(store.upload(KEY, body, TYPE));
    expect(failure).toMatchObject({ kind: 'upload', lines: [expect.stringMatching(cause)] });
    expect(failure.message).toContain(`s3://box/${KEY}`);
    expect(failure.message).not.toContain('\n');
    expect(retries).toEqual([]);
    // Parts under way side by side are refused each for itself, but none twice.
    const refused = server.requests
      .filter((request) => request.operation === operation)
      .map(({ partNumber }) => partNumber);
    expect(new Set(refused).size).toBe(refused.length);
    expect(await server.multipartUploads('box')).toEqual([]);
    expect(body.destroyed).toBe(true);
  },
);

test('a bucket that does not exist is named', async () => {
  const server = await testServer();
  const { store } = testStore(server, { bucket: 'nowhere' });
  const failure = await failureOf(store.upload(KEY, streamOf(SMALL), TYPE));
  expect(failure.message).toMatch(/s3:\/\/nowhere\/.*no bucket nowhere/);
  expect(server.requests.length).toBe(1);
});

test.each(['PutObject', 'CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload'] as const)(
  'an outage of %s longer than is waited for fails and leaves no upload',
  async (operation) => {
    const server = await testServer();
    const { store, retries } = testStore(server, { retrySeconds: 1 });
    server.faults.add({ operation, times: FOREVER, action: error(503, 'SlowDown') });
    const failure = await failureOf(
      store.upload(KEY, streamOf(operation === 'PutObject' ? SMALL : LARGE), TYPE),
    );
    expect(failure).toMatchObject({ kind: 'upload', message: expect.stringContaining(KEY) });
    expect(failure.message).toMatch(/SlowDown.*\(tried \d+ times\)/);
    expect(retries.length).toBeGreaterThan(1);
    expect(await server.multipartUploads('box')).toEqual([]);
    expect(await server.objects('box')).toEqual([]);
  },
);

test('without time to retry the first refusal is final', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server, { retrySeconds: 0 });
  server.faults.add({
    operation: 'UploadPart',
    partNumber: 2,
    action: error(500, 'InternalError'),
  });
  await failureOf(store.upload(KEY, streamOf(LARGE), TYPE));
  expect(retries).toEqual([]);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test('the first cause is reported also when the upload cannot be aborted', async () => {
  const server = await testServer();
  const { store } = testStore(server, { retrySeconds: 0 });
  server.faults.add({
    operation: 'UploadPart',
    times: FOREVER,
    action: error(403, 'AccessDenied'),
  });
  server.faults.add({ operation: 'AbortMultipartUpload', action: error(503, 'SlowDown') });
  const failure = await failureOf(store.upload(KEY, streamOf(LARGE), TYPE));
  expect(failure.message).toContain('AccessDenied');
});

test('an endpoint without an answer is reported as such', async () => {
  const server = await testServer();
  const { store } = testStore(server, { retrySeconds: 0 });
  await server.close();
  const failure = await failureOf(store.upload(KEY, streamOf(SMALL), TYPE));
  expect(failure).toMatchObject({
    kind: 'upload',
    message: expect.stringMatching(/nothing answers/),
  });
});

const LIES = (['wrong-checksum', 'no-checksum'] as const).flatMap((kind) =>
  (['PutObject', 'UploadPart', 'CompleteMultipartUpload'] as const).map(
    (operation) => [kind, operation] as const,
  ),
);

test.each(LIES)(
  '%s in the answer to %s is a failure, although the status is 200',
  async (kind, operation) => {
    const server = await testServer();
    const { store } = testStore(server);
    server.faults.add({ operation, times: FOREVER, action: { kind } });
    const onAcknowledged = vi.fn();
    const body = streamOf(operation === 'PutObject' ? SMALL : LARGE);
    const failure = await failureOf(store.upload(KEY, body, TYPE, { onAcknowledged }));
    expect(failure).toMatchObject({ kind: 'upload', message: expect.stringContaining(KEY) });
    expect(failure.message).toMatch(/checksum|CRC32/);
    if (operation !== 'CompleteMultipartUpload') expect(onAcknowledged).not.toHaveBeenCalled();
    expect(await server.multipartUploads('box')).toEqual([]);
  },
);

test('a failed part ends the upload while the body waits for a file to grow', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'UploadPart', action: error(403, 'ExpiredToken') });
  const more = Promise.withResolvers<void>();
  async function* growing(): AsyncGenerator<Buffer> {
    yield sampleBytes(6 * mebibyte);
    await more.promise;
  }
  const body = Readable.from(growing());
  expect((await failureOf(store.upload(KEY, body, TYPE))).message).toMatch(/ExpiredToken/);
  expect(body.destroyed).toBe(true);
  expect(await server.multipartUploads('box')).toEqual([]);
  more.resolve();
});

test('what follows a part with a wrong checksum is not acknowledged', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({ operation: 'UploadPart', partNumber: 2, action: { kind: 'wrong-checksum' } });
  const acknowledged: number[] = [];
  await failureOf(
    store.upload(KEY, streamOf(LARGE), TYPE, {
      onAcknowledged: (bytes) => acknowledged.push(bytes),
    }),
  );
  expect(acknowledged.every((bytes) => bytes <= 5 * mebibyte)).toBe(true);
  expect(server.requests.some(({ operation }) => operation === 'CompleteMultipartUpload')).toBe(
    false,
  );
});

test.each(['wrong-checksum', 'no-checksum'] as const)(
  '%s in the answer to create is a failure',
  async (kind) => {
    const server = await testServer();
    const { store } = testStore(server);
    server.faults.add({ operation: 'PutObject', action: { kind } });
    const failure = await failureOf(store.create(KEY, SMALL, TYPE));
    expect(failure).toMatchObject({
      kind: 'upload',
      message: expect.stringMatching(/checksum|CRC32/),
    });
  },
);

async function* failing(bytes: number): AsyncGenerator<Buffer> {
  for (let sent = 0; sent < bytes; sent += 100_000) yield SMALL;
  throw new Error('the disk is on fire');
}

test.each([0, 1, 7, 13])(
  'a body that fails after %i MB is a failure and leaves nothing',
  async (megabytes) => {
    const server = await testServer();
    const { store } = testStore(server);
    const failure = await failureOf(
      store.upload(KEY, Readable.from(failing(megabytes * 1e6)), TYPE),
    );
    expect(failure).toMatchObject({
      kind: 'upload',
      lines: [expect.stringContaining('the disk is on fire')],
    });
    expect(failure.message).toContain(KEY);
    expect(await server.objects('box')).toEqual([]);
    expect(await server.multipartUploads('box')).toEqual([]);
  },
);

test('the failure of a body is reported also when the upload cannot be aborted', async () => {
  const server = await testServer();
  const { store } = testStore(server, { retrySeconds: 0 });
  server.faults.add({ operation: 'AbortMultipartUpload', action: error(503, 'SlowDown') });
  const failure = await failureOf(store.upload(KEY, Readable.from(failing(13e6)), TYPE));
  expect(failure.message).toContain('the disk is on fire');
});

test('a Failure of the body is passed on as it is', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const reason = new Failure('dump', 'the file changed');
  const body = new Readable({ read: (): void => void body.destroy(reason) });
  expect(await failureOf(store.upload(KEY, body, TYPE))).toBe(reason);
});
