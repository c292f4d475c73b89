import { Readable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import { Failure } from '../../app/errors.ts';
import type { Operation, S3Server } from '../support/s3/server.ts';
import { mebibyte, sampleBytes, testServer } from '../support/s3/test-setup.ts';
import { failureOf, streamOf, testStore } from '../support/s3/test-store.ts';

const KEY = 'db/20261122T030000Z/shop.orders.sql.zst';
const TYPE = 'application/zstd';
const SMALL = sampleBytes(100_000);
const LARGE = sampleBytes(12 * mebibyte + 7);
const FOREVER = Number.POSITIVE_INFINITY;
const NEVER = { kind: 'stall', milliseconds: 3_600_000 } as const;
const WAIT = { timeout: 30_000, interval: 5 };
const REASON = new Failure('interrupted', 'interrupted by SIGTERM', { signal: 'SIGTERM' });

const countOf = (server: S3Server, operation: Operation) =>
  server.requests.filter((request) => request.operation === operation).length;

test('a large upload whose parts stall ends with the reason given, and is aborted', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server);
  const stalled = server.faults.add({ operation: 'UploadPart', times: FOREVER, action: NEVER });
  const body = streamOf(LARGE);
  const upload = failureOf(store.upload(KEY, body, TYPE));
  await vi.waitFor(() => expect(stalled.hits).toBe(3), WAIT);
  expect(await server.multipartUploads('box')).toMatchObject([{ key: KEY }]);
  store.interrupt(REASON);
  expect(await upload).toBe(REASON);
  expect(await server.multipartUploads('box')).toEqual([]);
  expect(retries).toEqual([]);
  expect(body.destroyed).toBe(true);
});

test('a small upload that stalls ends with the reason given', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const stalled = server.faults.add({ operation: 'PutObject', action: NEVER });
  const upload = failureOf(store.upload(KEY, streamOf(SMALL), TYPE));
  await vi.waitFor(() => expect(stalled.hits).toBe(1), WAIT);
  store.interrupt(REASON);
  expect(await upload).toBe(REASON);
  expect(await server.objects('box')).toEqual([]);
});

test('the manifest being written ends with the reason given', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const stalled = server.faults.add({ operation: 'PutObject', action: NEVER });
  const create = failureOf(store.create(KEY, SMALL, TYPE));
  await vi.waitFor(() => expect(stalled.hits).toBe(1), WAIT);
  store.interrupt(REASON);
  expect(await create).toBe(REASON);
  expect(await server.objects('box')).toEqual([]);
});

test('an interruption during an outage fails with its reason and aborts the upload', async () => {
  const server = await testServer();
  const { store, retries } = testStore(server, { retrySeconds: 3600 });
  const outage = { kind: 'error', status: 503, code: 'ServiceUnavailable' } as const;
  server.faults.add({ operation: 'UploadPart', times: FOREVER, action: outage });
  const upload = failureOf(store.upload(KEY, streamOf(LARGE), TYPE));
  await vi.waitFor(() => expect(retries.length).toBeGreaterThanOrEqual(4), WAIT);
  store.interrupt(REASON);
  expect(await upload).toBe(REASON);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test('an upload that is just being created is created, and then aborted', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const slow = server.faults.add({
    operation: 'CreateMultipartUpload',
    action: { kind: 'stall', milliseconds: 100 },
  });
  const upload = failureOf(store.upload(KEY, streamOf(LARGE), TYPE));
  await vi.waitFor(() => expect(slow.hits).toBe(1), WAIT);
  store.interrupt(REASON);
  expect(await upload).toBe(REASON);
  expect(countOf(server, 'CreateMultipartUpload')).toBe(1);
  expect(countOf(server, 'AbortMultipartUpload')).toBe(1);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test("an upload whose body waits ends with the body's error, and is aborted", async () => {
  const server = await testServer();
  const { store } = testStore(server);
  const body = new Readable({ read: () => undefined });
  body.push(LARGE.subarray(0, 6 * mebibyte));
  const upload = failureOf(store.upload(KEY, body, TYPE));
  await vi.waitFor(() => expect(countOf(server, 'UploadPart')).toBe(1), WAIT);
  store.interrupt(REASON);
  body.destroy(new Error('shipping was stopped'));
  expect(await upload).toBe(REASON);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test('after an interruption nothing is written any more', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  store.interrupt(REASON);
  expect(await failureOf(store.upload(KEY, streamOf(SMALL), TYPE))).toBe(REASON);
  expect(await failureOf(store.upload(KEY, streamOf(LARGE), TYPE))).toBe(REASON);
  expect(await failureOf(store.create(KEY, SMALL, TYPE))).toBe(REASON);
  expect(countOf(server, 'PutObject') + countOf(server, 'UploadPart')).toBe(0);
  expect(await server.objects('box')).toEqual([]);
  expect(await server.multipartUploads('box')).toEqual([]);
});

test('the first interruption is the one that is reported', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  store.interrupt(REASON);
  store.interrupt(new Failure('dump', 'mydumper was killed by SIGKILL'));
  expect(await failureOf(store.upload(KEY, streamOf(SMALL), TYPE))).toBe(REASON);
});
