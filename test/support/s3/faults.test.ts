import { request } from 'node:http';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { expect, test } from 'vitest';
import { failure, mebibyte, sampleBytes, testClient, testServer } from './test-setup.ts';

const Bucket = 'box';
const put = (Key: string, Body: Buffer | string = 'x') =>
  new PutObjectCommand({ Bucket, Key, Body });
const get = (Key: string) => new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' });

test('an error strikes what its rule names, so many times, after letting some pass', async () => {
  const server = await testServer();
  const client = testClient(server);
  const fault = server.faults.add({
    operation: ['PutObject', 'GetObject'],
    key: /^a/,
    skip: 1,
    times: 2,
    action: { kind: 'error', status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } },
  });
  const outcomes = [];
  for (const key of ['a1', 'b', 'a2', 'a3', 'a4'])
    outcomes.push(await failure(client.send(put(key))));
  expect(outcomes).toEqual([
    'no failure',
    'no failure',
    '503 SlowDown',
    '503 SlowDown',
    'no failure',
  ]);
  expect(fault.hits).toBe(2);
  expect((await server.objects(Bucket)).map((object) => object.key)).toEqual(['a1', 'a4', 'b']);
});

test('an outage lasts until cleared, and the SDK rides out a short one', async () => {
  const server = await testServer();
  const outage = { kind: 'error', status: 503, code: 'ServiceUnavailable' } as const;
  const fault = server.faults.add({ times: Number.POSITIVE_INFINITY, action: outage });
  const client = testClient(server);
  expect(await failure(client.send(put('k')))).toBe('503 ServiceUnavailable');
  // A refused HEAD has no document to name the error.
  expect(await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'k' })))).toMatch(/^503 /);
  expect(fault.hits).toBe(2);
  server.faults.clear();
  await client.send(put('k'));

  server.faults.add({ times: 2, action: outage });
  const answer = await testClient(server, { maxAttempts: 3 }).send(put('k2'));
  expect(answer.$metadata.attempts).toBe(3);
  expect(server.requests.slice(-3).map((request) => request.status)).toEqual([503, 503, 200]);
});

test('an error or a reset midway through a body leaves nothing', async () => {
  const server = await testServer();
  const client = testClient(server);
  const body = sampleBytes(8 * mebibyte);
  server.faults.add({
    action: { kind: 'error', status: 500, code: 'InternalError', afterBytes: mebibyte },
  });
  expect(await failure(client.send(put('k', body)))).toBe('500 InternalError');
  server.faults.add({ action: { kind: 'reset', afterBytes: mebibyte } });
  expect(await failure(client.send(put('k', body)))).toMatch(/ECONNRESET|EPIPE/);
  server.faults.add({ action: { kind: 'reset' } });
  expect(await failure(client.send(put('k')))).toBe('ECONNRESET');
  expect(await server.objects(Bucket)).toEqual([]);
  expect(server.requests.map((request) => request.status)).toEqual([500, 0, 0]);
  expect(server.requests[1]?.bytes).toBeGreaterThanOrEqual(mebibyte);
});

test('a body the client breaks off leaves nothing', async () => {
  const server = await testServer();
  const headers = { authorization: 'AWS4-HMAC-SHA256 unverified', 'content-length': 2 * mebibyte };
  const sending = request(`${server.endpoint}/box/k`, { method: 'PUT', headers });
  sending.on('error', () => undefined);
  sending.write(Buffer.alloc(mebibyte));
  await expect.poll(() => server.inFlight()).toBe(1);
  sending.destroy();
  await expect.poll(() => server.inFlight()).toBe(0);
  expect(server.requests).toMatchObject([{ operation: 'PutObject', key: 'k', status: 0 }]);
  expect(await server.objects(Bucket)).toEqual([]);
});

test('a stall outlasts the client that gives up, and ends when the server closes', async () => {
  const server = await testServer();
  const client = testClient(server);
  server.faults.add({ times: 2, action: { kind: 'stall', milliseconds: 10 } });
  await client.send(put('k'));
  server.faults.clear();
  server.faults.add({ action: { kind: 'stall', milliseconds: 3_600_000 } });
  const abortSignal = AbortSignal.timeout(50);
  expect(await failure(client.send(put('k2'), { abortSignal }))).toBe('AbortError');
  expect(server.inFlight()).toBe(1);
  await server.close();
  expect(server.inFlight()).toBe(0);
});

test('a slow body arrives whole, and a slow server still closes', async () => {
  const server = await testServer();
  const client = testClient(server);
  server.faults.add({ action: { kind: 'slow', bytesPerSecond: 10e6 } });
  await client.send(put('k', sampleBytes(mebibyte)));
  expect(await server.readObject(Bucket, 'k')).toEqual(sampleBytes(mebibyte));
  server.faults.add({ action: { kind: 'slow', bytesPerSecond: 1 } });
  const stuck = failure(client.send(put('k2', sampleBytes(mebibyte))));
  await expect.poll(() => server.inFlight()).toBe(1);
  await server.close();
  expect(await stuck).toBe('ECONNRESET');
});

test('answers wrong checksums or none, having stored the right thing', async () => {
  const server = await testServer();
  const client = testClient(server);
  const right = (await client.send(put('k'))).ChecksumCRC32;
  server.faults.add({ action: { kind: 'wrong-checksum' } });
  const wrong = (await client.send(put('k'))).ChecksumCRC32;
  expect(wrong).toMatch(/^.{6}==$/);
  expect(wrong).not.toBe(right);
  server.faults.add({ action: { kind: 'no-checksum' } });
  const none = await client.send(put('k'));
  expect([none.ChecksumCRC32, none.ChecksumType]).toEqual([undefined, undefined]);
  expect((await server.objects(Bucket))[0]?.checksum.value).toBe(right);
  server.faults.add({ action: { kind: 'wrong-checksum' } });
  const read = await client.send(get('k'));
  await expect(read.Body?.transformToString()).rejects.toThrow(/Checksum mismatch/);
});

test('a write is carried out as if it had no condition', async () => {
  const server = await testServer();
  const client = testClient(server);
  const create = (Body: string) =>
    client.send(new PutObjectCommand({ Bucket, Key: 'k', Body, IfNoneMatch: '*' }));
  await create('first');
  expect(await failure(create('second'))).toBe('412 PreconditionFailed');
  server.faults.add({ action: { kind: 'ignore-condition' } });
  await create('third');
  expect(String(await server.readObject(Bucket, 'k'))).toBe('third');
});

test('a completion can fail inside a 200, answer a wrong checksum or lose its answer', async () => {
  const server = await testServer();
  const client = testClient(server);
  const target = { Bucket, Key: 'k' };
  const create = new CreateMultipartUploadCommand({ ...target, ChecksumAlgorithm: 'CRC32' });
  const { UploadId } = await client.send(create);
  const part = await client.send(
    new UploadPartCommand({
      ...target,
      UploadId,
      PartNumber: 1,
      Body: 'x',
      ChecksumAlgorithm: 'CRC32',
    }),
  );
  const MultipartUpload = { Parts: [{ ...part, PartNumber: 1 }] };
  const complete = () =>
    client.send(new CompleteMultipartUploadCommand({ ...target, UploadId, MultipartUpload }));

  server.faults.add({ action: { kind: 'error-in-ok', code: 'InternalError' } });
  expect(await failure(complete())).toMatch(/InternalError$/);
  expect(await server.multipartUploads(Bucket)).toEqual([
    { key: 'k', uploadId: UploadId, parts: 1 },
  ]);

  server.faults.add({ operation: 'CompleteMultipartUpload', action: { kind: 'lost-answer' } });
  expect(await failure(complete())).toBe('ECONNRESET');
  const [object] = await server.objects(Bucket);
  expect(object?.size).toBe(1);

  server.faults.add({ action: { kind: 'wrong-checksum' } });
  const wrong = await complete();
  expect(wrong.ChecksumCRC32).toMatch(/-1$/);
  expect(wrong.ChecksumCRC32).not.toBe(object?.checksum.value);
  expect((await complete()).ChecksumCRC32).toBe(object?.checksum.value);
});

test('a fault cuts or never ends the answer of a request that is carried out', async () => {
  const server = await testServer();
  const client = testClient(server);
  server.faults.add({ action: { kind: 'cut-answer' } });
  expect(await failure(client.send(put('cut')))).toBe('ECONNRESET');
  server.faults.add({ action: { kind: 'drip', millisecondsPerByte: 5 } });
  const patience = AbortSignal.timeout(500);
  expect(await failure(client.send(put('drip'), { abortSignal: patience }))).toBe('AbortError');
  expect((await server.objects(Bucket)).map(({ key }) => key)).toEqual(['cut', 'drip']);
});

test('a fault on one part is repaired by the SDK sending that part again', async () => {
  const server = await testServer();
  const client = testClient(server, { maxAttempts: 3 });
  const lost = server.faults.add({
    operation: 'UploadPart',
    partNumber: 2,
    action: { kind: 'lost-answer' },
  });
  const body = sampleBytes(11 * mebibyte);
  const params = { Bucket, Key: 'k', Body: body };
  await new Upload({ client, params, partSize: 5 * mebibyte }).done();
  expect(lost.hits).toBe(1);
  expect((await server.readObject(Bucket, 'k')).equals(body)).toBe(true);
});

test('a download can be cut short or corrupted, and the SDK notices both', async () => {
  const server = await testServer();
  const client = testClient(server);
  await client.send(put('k', sampleBytes(mebibyte)));
  const read = async () => (await client.send(get('k'))).Body?.transformToByteArray();
  server.faults.add({ operation: 'GetObject', action: { kind: 'truncate', afterBytes: 1000 } });
  await expect(read()).rejects.toThrow(/aborted/);
  expect(server.requests.at(-1)?.bytes).toBe(1000);
  server.faults.add({ action: { kind: 'corrupt' } });
  await expect(read()).rejects.toThrow(/Checksum mismatch/);
  expect(Buffer.from((await read()) ?? [])).toEqual(sampleBytes(mebibyte));
});

test('a skewed clock is refused, and the SDK corrects itself', async () => {
  const server = await testServer();
  server.faults.add({ times: 2, action: { kind: 'clock-skew' } });
  expect(await failure(testClient(server).send(put('k')))).toBe('403 RequestTimeTooSkewed');
  const answer = await testClient(server, { maxAttempts: 2 }).send(put('k'));
  expect(answer.$metadata.attempts).toBe(2);
});
