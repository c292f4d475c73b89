import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { failure, testClient, testDirectory, testServer } from './test-setup.ts';

const Bucket = 'box';

test('a versioned bucket keeps what was replaced and deleted, also across a restart', async () => {
  const dir = await testDirectory();
  let server = await testServer({ dir });
  let client = testClient(server);
  const put = (Key: string, Body: string) =>
    client.send(new PutObjectCommand({ Bucket, Key, Body }));
  const text = async (Key: string, VersionId?: string) =>
    (await client.send(new GetObjectCommand({ Bucket, Key, VersionId }))).Body?.transformToString();

  expect((await put('a', 'unversioned')).VersionId).toBeUndefined();
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  const second = await put('a', 'second');
  await put('a', 'third');
  await put('b/c', 'other');
  const marker = await client.send(new DeleteObjectCommand({ Bucket, Key: 'a' }));
  expect(marker).toMatchObject({ DeleteMarker: true });

  for (const again of [false, true]) {
    if (again) {
      await server.close();
      server = await testServer({ dir });
      client = testClient(server);
    }
    expect(await failure(text('a'))).toBe('404 NoSuchKey');
    expect(await text('a', 'null')).toBe('unversioned');
    expect(await text('a', second.VersionId)).toBe('second');
    expect(await failure(text('a', 'nonsense'))).toBe('404 NoSuchVersion');
    expect(
      await failure(
        client.send(new HeadObjectCommand({ Bucket, Key: 'a', VersionId: marker.VersionId })),
      ),
    ).toMatch(/^405 /);
    const listed = await client.send(new ListObjectsV2Command({ Bucket }));
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual(['b/c']);
    const all = await client.send(new ListObjectVersionsCommand({ Bucket }));
    expect(all.Versions?.map(({ Key, Size, IsLatest }) => [Key, Size, IsLatest])).toEqual([
      ['a', 5, false],
      ['a', 6, false],
      ['a', 11, false],
      ['b/c', 5, true],
    ]);
    expect(all.DeleteMarkers).toMatchObject([
      { Key: 'a', VersionId: marker.VersionId, IsLatest: true },
    ]);
  }
  await put('a', 'fourth');
  expect(await text('a')).toBe('fourth');
});

test('versions are listed in pages', async () => {
  const client = testClient(await testServer());
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
  for (const Key of ['x', 'y', 'x', 'z', 'x'])
    await client.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
  const seen: string[] = [];
  let markers: { KeyMarker?: string | undefined; VersionIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(
      new ListObjectVersionsCommand({ Bucket, MaxKeys: 2, ...markers }),
    );
    for (const { Key, IsLatest } of page.Versions ?? []) seen.push(`${Key} ${IsLatest}`);
    if (!page.IsTruncated) break;
    markers = { KeyMarker: page.NextKeyMarker, VersionIdMarker: page.NextVersionIdMarker };
  }
  expect(seen).toEqual(['x true', 'x false', 'x false', 'y true', 'z true']);
});
