import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { allocateShared, createReusedBuffers } from '../../app/reused-buffers.ts';
import { openContent } from '../../app/shipping/content.ts';
import { type FileHash, hashHere, startHasher } from '../../app/shipping/hasher.ts';
import { createTail } from '../../app/shipping/tail.ts';
import { leasedFile } from '../support/leased-file.ts';
import { sampleBytes } from '../support/s3/test-setup.ts';

const MIB = 1024 * 1024;
const hexOf = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

function hasher() {
  const started = startHasher();
  onTestFinished(started.end);
  return started;
}

/** Takes the pieces in turns, as files that are shipped side by side do. */
async function addInTurns(files: readonly (readonly Uint8Array[])[], open: () => FileHash) {
  const hashes = files.map(open);
  const most = Math.max(0, ...files.map((pieces) => pieces.length));
  let hashed = 0;
  for (let at = 0; at < most; at += 1)
    for (const [index, pieces] of files.entries()) {
      const piece = pieces[at];
      if (piece !== undefined) await hashes[index]?.add(piece, () => (hashed += 1));
    }
  const hex = await Promise.all(hashes.map(async (hash) => (await hash.digest()).sha256));
  return { hex, hashed };
}

test('files side by side get the right hashes, in shared memory and in own memory', async () => {
  const { open } = hasher();
  const piece = fc.tuple(fc.uint8Array({ maxLength: 3000 }), fc.boolean()).map(([data, shared]) => {
    const buffer = shared ? allocateShared(data.byteLength) : Buffer.alloc(data.byteLength);
    buffer.set(data);
    return buffer;
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 5 }),
      async (files) => {
        const wanted = files.map((pieces) => hexOf(Buffer.concat(pieces)));
        const pieces = files.flat().length;
        expect(await addInTurns(files, open)).toEqual({ hex: wanted, hashed: pieces });
        expect(await addInTurns(files, hashHere)).toEqual({ hex: wanted, hashed: pieces });
      },
    ),
  );
});

test('asked twice it answers the same', async () => {
  for (const hash of [hasher().open(), hashHere()]) {
    await hash.add(Buffer.from('rows'), () => {});
    const digest = { sha256: hexOf(Buffer.from('rows')), largestStatementBytes: 4 };
    expect([await hash.digest(), await hash.digest()]).toEqual([digest, digest]);
  }
});

test('no more than some pieces wait to be hashed', async () => {
  const hash = hasher().open();
  const piece = allocateShared(MIB);
  let waiting = 0;
  let most = 0;
  for (let count = 0; count < 64; count += 1) {
    waiting += 1;
    most = Math.max(most, waiting);
    await hash.add(piece, () => (waiting -= 1));
  }
  await hash.digest();
  expect(waiting).toBe(0);
  expect(most).toBeLessThanOrEqual(9);
});

test('buffers that are used again are not before they were hashed', async () => {
  const content = sampleBytes(40 * MIB);
  const lease = leasedFile(content);
  const hash = hasher().open();
  const buffers = createReusedBuffers(allocateShared);
  const tail = createTail(lease.sizeBytes, true);
  const shipped = openContent(
    lease,
    tail,
    'none',
    Buffer.from('-- prologue\n'),
    5 * MIB,
    buffers,
    hash,
  );
  const copies: Buffer[] = [];
  for await (const piece of shipped.body as AsyncIterable<Buffer>) {
    copies.push(Buffer.from(piece));
    buffers.giveBack(piece);
  }
  const whole = Buffer.concat(copies);
  expect(whole.equals(Buffer.concat([Buffer.from('-- prologue\n'), content]))).toBe(true);
  expect(await shipped.sha256()).toBe(hexOf(whole));
});

test('an ended thread fails who waits for it, and who comes later', async () => {
  const { open, end } = startHasher();
  const hash = open();
  await end();
  await expect(hash.digest()).rejects.toThrow('the thread that hashes has ended');
  const later = open();
  const pieces = Readable.from(Array.from({ length: 20 }, () => allocateShared(MIB)));
  const adding = (async () => {
    for await (const piece of pieces) await later.add(piece as Buffer, () => {});
  })();
  await expect(adding).rejects.toThrow('the thread that hashes has ended');
});
