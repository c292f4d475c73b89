import { request } from 'node:http';
import { expect, test } from 'vitest';
import type { S3Server } from './server.ts';
import { testServer } from './test-setup.ts';

const authorization = 'AWS4-HMAC-SHA256 unverified';
const emptySha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** Sends exactly these headers and bytes, which the SDK would not; answers `<status> <code>`. */
function raw(
  server: S3Server,
  method: string,
  path: string,
  headers: Record<string, string | number>,
  body = '',
): Promise<string> {
  return new Promise((resolve, reject) => {
    const sending = request(
      `${server.endpoint}${path}`,
      { method, headers: { authorization, ...headers } },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('end', () => {
          const code = /<Code>(.*)<\/Code>/.exec(text)?.[1];
          resolve(`${answer.statusCode}${code === undefined ? '' : ` ${code}`}`);
        });
      },
    );
    sending.on('error', reject);
    sending.end(body);
  });
}

const trailing = (crc: string, length = 3) => ({
  headers: {
    'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'x-amz-decoded-content-length': length,
    'x-amz-trailer': 'x-amz-checksum-crc32',
    'content-encoding': 'gzip,aws-chunked',
  },
  body: `3\r\nabc\r\n0\r\n${crc}\r\n`,
});

test.each([
  ['the right trailer', trailing('x-amz-checksum-crc32:NSRBwg==\r\n'), '200'],
  ['a wrong trailer', trailing('x-amz-checksum-crc32:AAAAAA==\r\n'), '400 BadDigest'],
  ['a missing trailer', trailing(''), '400 MalformedTrailerError'],
  [
    'too long a decoded length',
    trailing('x-amz-checksum-crc32:NSRBwg==\r\n', 4),
    '400 IncompleteBody',
  ],
  [
    'too short a decoded length',
    trailing('x-amz-checksum-crc32:NSRBwg==\r\n', 2),
    '400 IncompleteBody',
  ],
  [
    'a wrong payload hash',
    { headers: { 'x-amz-content-sha256': emptySha256 }, body: 'abc' },
    '400 XAmzContentSHA256Mismatch',
  ],
  [
    'an empty body',
    { headers: { 'x-amz-content-sha256': emptySha256, 'content-length': 0 }, body: '' },
    '200',
  ],
  [
    'two checksums',
    {
      headers: { 'x-amz-checksum-crc32': 'NSRBwg==', 'x-amz-checksum-crc32c': 'AAAAAA==' },
      body: 'abc',
    },
    '400 InvalidRequest',
  ],
  [
    'a checksum promised and not given',
    { headers: { 'x-amz-sdk-checksum-algorithm': 'CRC32' }, body: 'abc' },
    '400 InvalidRequest',
  ],
  [
    'no length',
    { headers: { 'transfer-encoding': 'chunked' }, body: 'abc' },
    '411 MissingContentLength',
  ],
  ['a copy', { headers: { 'x-amz-copy-source': '/box/other' }, body: '' }, '501 NotImplemented'],
  [
    'a storage class unheard of',
    { headers: { 'x-amz-storage-class': 'ATTIC' }, body: '' },
    '400 InvalidStorageClass',
  ],
] as const)('answers a PUT with %s', async (_name, { headers, body }, answer) => {
  const server = await testServer();
  expect(await raw(server, 'PUT', '/box/k', headers, body)).toBe(answer);
  expect(await server.objects('box')).toHaveLength(answer === '200' ? 1 : 0);
});

test('refuses more than 5 GiB before reading any of it', async () => {
  const server = await testServer();
  const headers = { 'content-length': 5 * 1024 ** 3 + 1, expect: '100-continue' };
  const answer = await new Promise((resolve, reject) => {
    const sending = request(`${server.endpoint}/box/k`, {
      method: 'PUT',
      headers: { authorization, ...headers },
    });
    sending.on('error', reject).on('response', (response) => {
      resolve(response.statusCode);
      sending.on('error', () => undefined).destroy();
    });
    sending.flushHeaders();
  });
  expect(answer).toBe(400);
  expect(server.requests).toMatchObject([{ status: 400, code: 'EntityTooLarge', bytes: 0 }]);
});

test('accepts presigned and virtual-host addresses, and names unimplemented features', async () => {
  const server = await testServer();
  const put = { 'content-length': 1, host: 'box.s3.example' };
  expect(await raw(server, 'PUT', '/a/k', put, 'x')).toBe('200');
  const presigned = '/box/a/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0&x-id=GetObject';
  expect((await fetch(server.endpoint + presigned)).status).toBe(200);
  expect((await fetch(`${server.endpoint}/box/a/k`)).status).toBe(403);
  for (const [method, path] of [
    ['GET', '/'],
    ['GET', '/box'],
    ['GET', '/box?versioning'],
    ['PUT', '/box/k?acl'],
    ['GET', '/box/k?partNumber=1'],
    ['DELETE', '/box'],
    ['POST', '/box/k?select'],
  ] as const)
    expect(await raw(server, method, path, {}), `${method} ${path}`).toBe('501 NotImplemented');
  expect(await raw(server, 'GET', '/box/%ff', {})).toBe('400 InvalidURI');
  expect(await raw(server, 'PUT', '/new-box', { 'content-length': 0 })).toBe('200');
  expect(await raw(server, 'PUT', '/new-box', { 'content-length': 0 })).toBe(
    '409 BucketAlreadyOwnedByYou',
  );
  expect(await raw(server, 'HEAD', '/new-box', {})).toBe('200');
});
