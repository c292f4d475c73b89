import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { failure, testClient, testDirectory, testServer } from './test-setup.ts';

const Bucket = 'box';

test('lists by prefix and delimiter, page by page, in UTF-8 order', async () => {
  const server = await testServer();
  const client = testClient(server);
  const keys = ['a', 'b/1', 'b/2', 'b/c/3', 'd e+f', 'd/x', 'z\u{1F600}', 'z\uFF5E'];
  await Promise.all(
    keys.map((Key) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key }))),
  );
  const seen: string[] = [];
  let token: string | undefined;
  do {
    const page = await client.send(
      new ListObjectsV2Command({ Bucket, Delimiter: '/', MaxKeys: 2, ContinuationToken: token }),
    );
    expect(page.KeyCount).toBeLessThanOrEqual(2);
    seen.push(...(page.Contents ?? []).map((item) => item.Key ?? ''));
    seen.push(...(page.CommonPrefixes ?? []).map((item) => item.Prefix ?? ''));
    token = page.NextContinuationToken;
  } while (token !== undefined);
  expect(seen).toEqual(['a', 'b/', 'd e+f', 'd/', 'z\uFF5E', 'z\u{1F600}']);

  const list = async (input: object) =>
    (await client.send(new ListObjectsV2Command({ Bucket, ...input }))).Contents?.map(
      (item) => item.Key,
    );
  expect(await list({})).toEqual([...keys.slice(0, 6), 'z\uFF5E', 'z\u{1F600}']);
  expect(await list({ Prefix: 'b/' })).toEqual(['b/1', 'b/2', 'b/c/3']);
  expect(await list({ StartAfter: 'b/2', MaxKeys: 2 })).toEqual(['b/c/3', 'd e+f']);
  expect(await list({ Prefix: 'd', EncodingType: 'url' })).toEqual(['d+e%2Bf', 'd/x']);
  expect(await failure(list({ ContinuationToken: 'nonsense' }))).toBe('400 InvalidArgument');
});

const oddKeys = [
  'sp ace/quo"te\'s+plus%20&<amp>.sql',
  'ünïcødé/日本語/\u{1F600}',
  '//double//slash/',
  './dot/../dots/...',
  'a',
  'a/b',
  'a/b/c',
  'control\u0001\ttab',
  `${'long'.repeat(80)}/${'ü'.repeat(120)}`,
  'x'.repeat(1024),
];

test('keeps odd keys apart, also across a restart on the same directory', async () => {
  const dir = await testDirectory();
  const first = await testServer({ dir });
  for (const Key of oddKeys)
    await testClient(first).send(new PutObjectCommand({ Bucket, Key, Body: `content of ${Key}` }));
  const tooLong = new PutObjectCommand({ Bucket, Key: 'x'.repeat(1025), Body: 'x' });
  expect(await failure(testClient(first).send(tooLong))).toBe('400 KeyTooLongError');
  await first.close();

  const second = await testServer({ dir, buckets: [] });
  const client = testClient(second);
  for (const Key of oddKeys) {
    const got = await client.send(new GetObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    expect(await got.Body?.transformToString()).toBe(`content of ${Key}`);
  }
  const listed = await client.send(new ListObjectsV2Command({ Bucket, EncodingType: 'url' }));
  expect(listed.KeyCount).toBe(oddKeys.length);
});
