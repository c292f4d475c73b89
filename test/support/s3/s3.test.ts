import { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { failure, mebibyte, sampleBytes, testClient, testServer } from './test-setup.ts';

const Bucket = 'box';

test('keeps a buffer with everything said about it', async () => {
  const server = await testServer();
  const client = testClient(server);
  const body = sampleBytes(100_000);
  const put = await client.send(
    new PutObjectCommand({
      Bucket,
      Key: 'a/b.sql.zst',
      Body: body,
      ContentType: 'application/zstd',
      ContentEncoding: 'zstd',
      Metadata: { table: 'orders' },
      StorageClass: 'STANDARD_IA',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'alias/backup',
      Tagging: 'team=data&kind=backup',
    }),
  );
  expect(put).toMatchObject({ ServerSideEncryption: 'aws:kms', ChecksumType: 'FULL_OBJECT' });
  const got = await client.send(
    new GetObjectCommand({ Bucket, Key: 'a/b.sql.zst', ChecksumMode: 'ENABLED' }),
  );
  expect(Buffer.from((await got.Body?.transformToByteArray()) ?? [])).toEqual(body);
  expect(got).toMatchObject({
    ContentType: 'application/zstd',
    ContentEncoding: 'zstd',
    Metadata: { table: 'orders' },
    StorageClass: 'STANDARD_IA',
    SSEKMSKeyId: 'alias/backup',
    TagCount: 2,
    ContentLength: 100_000,
    ETag: put.ETag,
    ChecksumCRC32: put.ChecksumCRC32,
  });
  expect(server.objectPath(Bucket, 'a/b.sql.zst')).toMatch(/box\/objects\/a\/b\.sql\.zst$/);
  const [object] = await server.objects(Bucket);
  expect(object).toMatchObject({
    size: 100_000,
    attributes: { tags: { team: 'data', kind: 'backup' } },
  });
  expect(server.requests).toMatchObject([
    { operation: 'PutObject', bucket: Bucket, key: 'a/b.sql.zst', status: 200, bytes: 100_000 },
    { operation: 'GetObject', status: 200, bytes: 100_000 },
  ]);
});

test('answers conditional writes', async () => {
  const server = await testServer();
  const client = testClient(server);
  const put = (Key: string, more: Partial<PutObjectCommandInput> = {}) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body: 'first', IfNoneMatch: '*', ...more }));
  const { ETag } = await put('manifest');
  expect(await failure(put('manifest'))).toBe('412 PreconditionFailed');
  const ifMatch = { IfNoneMatch: undefined, Body: 'second' };
  expect(await failure(put('manifest', { ...ifMatch, IfMatch: '"other"' }))).toBe(
    '412 PreconditionFailed',
  );
  await put('manifest', { ...ifMatch, IfMatch: ETag });
  expect(await failure(put('none', { ...ifMatch, IfMatch: ETag }))).toBe('404 NoSuchKey');
  expect((await server.readObject(Bucket, 'manifest')).toString()).toBe('second');
});

test('answers 409 to a conditional write that another write overtook', async () => {
  const server = await testServer();
  // The SDK would print that a stream cannot be retried.
  const silent = () => undefined;
  const logger = { trace: silent, debug: silent, info: silent, warn: silent, error: silent };
  const client = testClient(server, { logger });
  let release: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  async function* slowly() {
    yield Buffer.alloc(64 * 1024);
    await held;
    yield Buffer.alloc(64 * 1024);
  }
  const slow = failure(
    client.send(
      new PutObjectCommand({
        Bucket,
        Key: 'k',
        Body: Readable.from(slowly()),
        ContentLength: 128 * 1024,
        IfNoneMatch: '*',
      }),
    ),
  );
  // Being worked on, it is also being watched for conflicts.
  await expect.poll(() => server.inFlight()).toBe(1);
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'quick' }));
  release();
  expect(await slow).toBe('409 ConditionalRequestConflict');
  expect((await server.readObject(Bucket, 'k')).toString()).toBe('quick');
});

test('serves ranges and conditional reads', async () => {
  const server = await testServer();
  const client = testClient(server);
  const { ETag } = await client.send(
    new PutObjectCommand({ Bucket, Key: 'k', Body: '0123456789' }),
  );
  const read = async (input: object) => {
    const got = await client.send(new GetObjectCommand({ Bucket, Key: 'k', ...input }));
    return `${got.ContentRange} ${await got.Body?.transformToString()}`;
  };
  expect(await read({ Range: 'bytes=2-4' })).toBe('bytes 2-4/10 234');
  expect(await read({ Range: 'bytes=7-' })).toBe('bytes 7-9/10 789');
  expect(await read({ Range: 'bytes=-3' })).toBe('bytes 7-9/10 789');
  expect(await read({ Range: 'bytes=8-99', IfMatch: ETag })).toBe('bytes 8-9/10 89');
  expect(await failure(read({ Range: 'bytes=10-' }))).toBe('416 InvalidRange');
  expect(await failure(read({ IfMatch: '"other"' }))).toBe('412 PreconditionFailed');
  expect(await failure(read({ IfNoneMatch: ETag }))).toMatch(/^304 /);
});

test('deletes, and knows what is missing', async () => {
  const server = await testServer();
  const client = testClient(server);
  for (const Key of ['a', 'b', 'c'])
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
  await client.send(new DeleteObjectCommand({ Bucket, Key: 'never there' }));
  const Delete = { Objects: [{ Key: 'b' }, { Key: 'x&<y>' }] };
  const { Deleted } = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
  expect(Deleted).toEqual(Delete.Objects);
  expect((await server.objects(Bucket)).map((object) => object.key)).toEqual(['c']);
  expect(await failure(client.send(new GetObjectCommand({ Bucket, Key: 'a' })))).toBe(
    '404 NoSuchKey',
  );
  expect(await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'a' })))).toBe(
    '404 NotFound',
  );
  expect(await failure(client.send(new HeadBucketCommand({ Bucket: 'other' })))).toBe(
    '404 NotFound',
  );
  const put = new PutObjectCommand({ Bucket: 'other', Key: 'k', Body: 'x' });
  expect(await failure(client.send(put))).toBe('404 NoSuchBucket');
  const tagging = new GetObjectTaggingCommand({ Bucket, Key: 'c' });
  expect(await failure(client.send(tagging))).toBe('501 NotImplemented');
  await client.send(new HeadBucketCommand({ Bucket }));
  await client.send(new GetBucketLocationCommand({ Bucket }));
});

test('a limited bandwidth holds bodies back until it is lifted', async () => {
  const server = await testServer({ bandwidthBytesPerSecond: 1 });
  const client = testClient(server);
  const put = client.send(
    new PutObjectCommand({ Bucket, Key: 'k', Body: sampleBytes(8 * mebibyte) }),
  );
  await expect.poll(() => server.inFlight()).toBe(1);
  expect(await server.objects(Bucket)).toEqual([]);
  expect(server.requests).toEqual([]);
  server.setBandwidth(undefined);
  await put;
  expect(server.requests).toMatchObject([
    { operation: 'PutObject', status: 200, bytes: 8 * mebibyte },
  ]);
});

test('denies as a policy would, and asks for a signature', async () => {
  const server = await testServer({ deny: ['GetObject', 'DeleteObject', 'ListObjectsV2'] });
  const client = testClient(server);
  await client.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
  for (const command of [
    new GetObjectCommand({ Bucket, Key: 'k' }),
    new DeleteObjectCommand({ Bucket, Key: 'k' }),
  ])
    expect(await failure(client.send(command as GetObjectCommand))).toBe('403 AccessDenied');
  // Without the right to list, a missing key looks forbidden.
  expect(await failure(client.send(new HeadObjectCommand({ Bucket, Key: 'none' })))).toMatch(
    /^403 /,
  );
  server.setDeny([]);
  await client.send(new GetObjectCommand({ Bucket, Key: 'k' }));
  expect((await fetch(`${server.endpoint}/box/k`)).status).toBe(403);
});
