import { createHash } from 'node:crypto';
import { appendFileSync, truncateSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { setImmediate } from 'node:timers/promises';
import { gunzipSync, inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type { Compression } from '../../app/config.ts';
import { createReusedBuffers } from '../../app/reused-buffers.ts';
import { CONTENT_TYPES, EXTENSIONS, openContent } from '../../app/shipping/content.ts';
import { createTail } from '../../app/shipping/tail.ts';
import type { Lease } from '../../app/staging/tracker.ts';
import { leasedFile } from '../support/leased-file.ts';
import { sampleBytes } from '../support/s3/test-setup.ts';

const MIB = 1024 * 1024;
const PART_BYTES = 5 * MIB;
const NOTHING = Buffer.alloc(0);
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'zstd'];
const SQL = Buffer.from("INSERT INTO `orders` VALUES(1,'ä','\\'');\n".repeat(40_000));

const open = (lease: Lease, compression: Compression, prologue = NOTHING) =>
  openContent(lease, createTail(lease.sizeBytes, lease.closed), compression, prologue, PART_BYTES);

/**
 * Node's zstd decoder silently stops after the first frame. Its output is therefore the content of
 * one frame.
 */
function decode(stored: Buffer, compression: Compression): Buffer {
  if (compression === 'none') return stored;
  return compression === 'gzip' ? gunzipSync(stored) : zstdDecompressSync(stored);
}

const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** Compressible and not, and of sizes around what is read at once and what is flushed together. */
const CONTENTS: readonly (readonly [string, Buffer])[] = [
  ['nothing', NOTHING],
  ['one byte', Buffer.from(';')],
  ['SQL of more than 1 MiB', SQL],
  ['exactly 1 MiB', sampleBytes(MIB)],
  ['1 MiB and a byte', sampleBytes(MIB + 4).subarray(0, MIB + 1)],
  ['9 MiB that do not compress', sampleBytes(9 * MIB)],
];

const EVERY = COMPRESSIONS.flatMap((compression) =>
  CONTENTS.map(([what, content]) => ({ compression, what, content })),
);

test.each(EVERY)('$compression: $what comes back the same', async ({ compression, content }) => {
  const { body, summary, sha256 } = open(leasedFile(content), compression);
  const stored = await buffer(body);
  expect(decode(stored, compression).equals(content)).toBe(true);
  expect(summary()).toEqual({ bytes: content.length, fileBytes: content.length });
  expect(await sha256()).toBe(sha256Of(content));
});

test.each(COMPRESSIONS)(
  '%s: pieces that are given back once copied are read into again, and nothing is lost',
  async (compression) => {
    const content = sampleBytes(20 * MIB);
    const reused = createReusedBuffers();
    const taken = new Set<ArrayBufferLike>();
    const buffers: typeof reused = {
      take: (bytes) => {
        const one = reused.take(bytes);
        taken.add(one.buffer);
        return one;
      },
      hold: reused.hold,
      giveBack: reused.giveBack,
    };
    const lease = leasedFile(content);
    const tail = createTail(lease.sizeBytes, true);
    const { body } = openContent(lease, tail, compression, NOTHING, PART_BYTES, buffers);
    const copies: Buffer[] = [];
    for await (const piece of body as AsyncIterable<Buffer>) {
      await setImmediate(); // what reads ahead goes on meanwhile
      copies.push(Buffer.from(piece));
      buffers.giveBack(piece);
    }
    expect(decode(Buffer.concat(copies), compression).equals(content)).toBe(true);
    expect(taken.size).toBeLessThanOrEqual(4);
  },
);

test.each(COMPRESSIONS)(
  '%s: the prologue goes before the content and counts',
  async (compression) => {
    const prologue = Buffer.from('/*!40101 SET NAMES binary*/;\n');
    const { body, summary, sha256 } = open(leasedFile(SQL), compression, prologue);
    const whole = Buffer.concat([prologue, SQL]);
    expect(decode(await buffer(body), compression).equals(whole)).toBe(true);
    expect(summary()).toEqual({ bytes: whole.length, fileBytes: SQL.length });
    expect(await sha256()).toBe(sha256Of(whole));
  },
);

test('gzip is one member, with nothing after it', async () => {
  const content = sampleBytes(9 * MIB);
  const stored = await buffer(open(leasedFile(content), 'gzip').body);
  const [headerBytes, trailerBytes] = [10, 8];
  const { engine } = inflateRawSync(stored.subarray(headerBytes), { info: true }) as unknown as {
    engine: { bytesWritten: number };
  };
  expect(headerBytes + engine.bytesWritten + trailerBytes).toBe(stored.length);
});

test('zstd is one frame, which carries a checksum', async () => {
  const stored = await buffer(open(leasedFile(SQL), 'zstd').body);
  expect(stored.readUInt32LE()).toBe(0xfd2fb528);
  // RFC 8878, 3.1.1.1.1: bit 2 of the frame header descriptor.
  expect(stored.readUInt8(4) & 0b100).toBe(0b100);
  const damaged = Buffer.from(stored);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
  expect(() => zstdDecompressSync(damaged)).toThrow(/checksum/i);
});

test.each(COMPRESSIONS)(
  '%s: a file that grew after it was closed fails the body',
  async (compression) => {
    const lease = leasedFile(SQL);
    appendFileSync(lease.path, 'one more');
    const { body } = open(lease, compression);
    await expect(buffer(body)).rejects.toThrow(
      `${lease.name} held ${SQL.length} bytes when mydumper closed it ` +
        `and ${SQL.length + 8} when it was read`,
    );
  },
);

test.each(COMPRESSIONS)(
  '%s: a file that shrank after it was closed fails the body',
  async (compression) => {
    const lease = leasedFile(SQL);
    truncateSync(lease.path, SQL.length - 1);
    const { body } = open(lease, compression);
    await expect(buffer(body)).rejects.toThrow(`and ${SQL.length - 1} when it was read`);
  },
);

test.each(COMPRESSIONS)('%s: a file that cannot be read fails the body', async (compression) => {
  const { body } = open({ ...leasedFile(SQL), descriptor: 1_000_000 }, compression);
  await expect(buffer(body)).rejects.toThrow(/EBADF/);
});

test.each(COMPRESSIONS)(
  '%s: of the first bytes stored it is known what they surely hold',
  async (compression) => {
    const content = Buffer.concat([SQL, sampleBytes(9 * MIB), SQL]);
    const prologue = Buffer.from('/*!40101 SET NAMES binary*/;\n');
    const { body, fileBytesIn } = open(leasedFile(content), compression, prologue);
    const stored = await buffer(body);
    for (let storedBytes = 0; storedBytes < stored.length; storedBytes += 777_777) {
      const held = fileBytesIn(storedBytes);
      const prefix = readable(stored.subarray(0, storedBytes), compression);
      expect(prefix.length).toBeGreaterThanOrEqual(held === 0 ? 0 : prologue.length + held);
    }
    expect(fileBytesIn(0)).toBe(0);
    expect(fileBytesIn(stored.length)).toBeGreaterThan(8 * MIB);
    expect(fileBytesIn(stored.length)).toBeLessThanOrEqual(content.length);
  },
);

/** What a decoder gets out of the first bytes of something longer. */
function readable(prefix: Buffer, compression: Compression): Buffer {
  if (compression === 'none' || prefix.length < 20) return prefix;
  const whole = { finishFlush: 2 };
  return compression === 'gzip'
    ? gunzipSync(prefix, whole)
    : zstdDecompressSync(prefix, { finishFlush: 1 });
}

test('extensions and content types belong to the compression', () => {
  expect(EXTENSIONS).toEqual({ none: '', gzip: '.gz', zstd: '.zst' });
  expect(CONTENT_TYPES).toEqual({
    none: 'application/sql',
    gzip: 'application/gzip',
    zstd: 'application/zstd',
  });
});
