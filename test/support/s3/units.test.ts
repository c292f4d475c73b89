import { crc32 } from 'node:zlib';
import { expect, test } from 'vitest';
import { createLink, tokenBucket } from './bandwidth.ts';
import { type Algorithm, algorithms, checksumOfParts, createHasher } from './checksums.ts';
import { decodeAwsChunked } from './chunked.ts';
import { sampleBytes } from './test-setup.ts';
import { S3Error } from './types.ts';
import { childText, parseXml, tag } from './xml.ts';

function digest(algorithm: Algorithm, ...chunks: Buffer[]): Buffer {
  const hasher = createHasher(algorithm);
  for (const chunk of chunks) hasher.update(chunk);
  return hasher.digest();
}

test('the CRCs have their published check values', () => {
  const check = Buffer.from('123456789');
  expect(digest('CRC32', check).toString('hex')).toBe('cbf43926');
  expect(digest('CRC32C', check).toString('hex')).toBe('e3069283');
  expect(digest('CRC64NVME', check).toString('hex')).toBe('ae8b14860a799888');
});

test.each(algorithms)('%s is the same however the bytes are cut', (algorithm) => {
  const bytes = sampleBytes(10_007);
  const whole = digest(algorithm, bytes);
  expect(
    digest(algorithm, bytes.subarray(0, 13), bytes.subarray(13, 4099), bytes.subarray(4099)),
  ).toEqual(whole);
});

test.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
  '%s of parts joins to that of the whole',
  (algorithm) => {
    const bytes = sampleBytes(10_007);
    const parts = [bytes.subarray(0, 4096), bytes.subarray(4096, 8192), bytes.subarray(8192)].map(
      (part) => ({
        value: digest(algorithm, part).toString('base64'),
        size: part.length,
      }),
    );
    expect(checksumOfParts(algorithm, 'FULL_OBJECT', parts).value).toBe(
      digest(algorithm, bytes).toString('base64'),
    );
  },
);

test('a token bucket books bytes against a clock it is given', () => {
  const bucket = tokenBucket(1000, 100);
  expect(bucket.reserve(100, 5000)).toBe(0);
  expect(bucket.reserve(500, 5000)).toBe(500);
  expect(bucket.reserve(500, 5000)).toBe(1000);
  expect(bucket.reserve(1000, 5500)).toBe(1500);
  // A long pause earns no more than the burst.
  expect(bucket.reserve(100, 60_000)).toBe(0);
  expect(bucket.reserve(100, 60_000)).toBe(100);
});

test('whoever waits on a link goes on when its limit is lifted', async () => {
  const link = createLink(1);
  const waiting = [link.take(1000), link.take(1000)];
  expect(waiting.every((wait) => wait instanceof Promise)).toBe(true);
  link.setRate(undefined);
  await Promise.all(waiting);
  expect(link.take(1e12)).toBeUndefined();
  expect(() => link.setRate(0)).toThrow(RangeError);
});

async function decode(text: string, cut: number): Promise<{ data: string; trailers: object }> {
  const bytes = Buffer.from(text, 'latin1');
  async function* source() {
    for (let at = 0; at < bytes.length; at += cut) yield bytes.subarray(at, at + cut);
  }
  const trailers = new Map<string, string>();
  let data = '';
  for await (const chunk of decodeAwsChunked(source(), trailers)) data += chunk.toString('latin1');
  return { data, trailers: Object.fromEntries(trailers) };
}

test.each([1, 2, 7, 100_000])(
  'aws-chunked bodies decode when they arrive %i bytes at a time',
  async (cut) => {
    const large = 'x'.repeat(8192);
    const signed =
      `2000;chunk-signature=abc\r\n${large}\r\n` +
      '3;chunk-signature=def\r\n\r\ny\r\n0;chunk-signature=0\r\n\r\n';
    expect(await decode(signed, cut)).toEqual({ data: `${large}\r\ny`, trailers: {} });
    const trailing =
      '3\r\nabc\r\n0\r\nX-Amz-Checksum-Crc32: NSRBwg==\r\nx-amz-trailer-signature:f00\r\n\r\n';
    expect(await decode(trailing, cut)).toEqual({
      data: 'abc',
      trailers: { 'x-amz-checksum-crc32': 'NSRBwg==', 'x-amz-trailer-signature': 'f00' },
    });
  },
);

test.each([
  ['3\r\nabc\r\n', 'IncompleteBody'],
  ['3\r\nabcd\r\n0\r\n\r\n', 'IncompleteBody'],
  ['nonsense', 'IncompleteBody'],
  ['0\r\n\r\nmore', 'IncompleteBody'],
  ['0\r\nnonsense\r\n\r\n', 'MalformedTrailerError'],
  ['3\r\nabc\r\n3\r\nabc\r\n0\r\n\r\n', 'InvalidChunkSizeError'],
])('the aws-chunked body %j is refused', async (text, code) => {
  const error = await decode(text, 1000).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(S3Error);
  expect(error).toMatchObject({ code });
});

test('XML is read and written back, and what is malformed is refused', () => {
  const key = 'a&b<c>"d"\u0001é';
  const node = parseXml(
    `<?xml version="1.0"?>\n<Delete xmlns="urn:x">${tag('Key', key)}<Empty/></Delete>`,
  );
  expect(childText(node, 'Key')).toBe(key);
  expect(childText(node, 'Empty')).toBe('');
  for (const text of [
    '',
    'text',
    '<a>',
    '<a></b>',
    '<a/><b/>',
    '<a>&nope;</a>',
    '<a',
    '<!DOCTYPE a><a/>',
  ])
    expect(() => parseXml(text)).toThrow(S3Error);
});

test('the sample of other tests is not trivial', () => {
  expect(crc32(sampleBytes(1000))).not.toBe(crc32(sampleBytes(1000, 2)));
});
