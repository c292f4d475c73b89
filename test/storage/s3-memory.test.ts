import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { EXTRA_PARTS } from '../../app/storage/part-memory.ts';
import { mebibyte, sampleBytes, testServer } from '../support/s3/test-setup.ts';
import { testStore } from '../support/s3/test-store.ts';

const PART = 5 * mebibyte;
/** One, and those beyond one for each file. */
const PARTS_UNDER_WAY = 1 + EXTRA_PARTS;
const CHUNK = 256 * 1024;
/** Between the source and its parts: 1 MiB of read-ahead, a chunk on either side of it. */
const READ_AHEAD = mebibyte + 3 * CHUNK;

test('no more of a body is read than is under way, at any size and speed', async () => {
  const server = await testServer();
  const { store } = testStore(server);
  server.faults.add({
    operation: 'UploadPart',
    times: 8,
    action: { kind: 'stall', milliseconds: 50 },
  });
  const chunk = sampleBytes(CHUNK);
  const totalBytes = 70 * mebibyte;
  let pulled = 0;
  let mostAhead = 0;
  async function* source(): AsyncGenerator<Buffer> {
    while (pulled < totalBytes) {
      pulled += CHUNK;
      const stored = server.requests.filter(
        ({ operation, status }) => operation === 'UploadPart' && status === 200,
      );
      mostAhead = Math.max(mostAhead, pulled - stored.length * PART);
      yield chunk;
    }
  }
  const { bytes } = await store.upload(
    'large',
    Readable.from(source(), { highWaterMark: 1 }),
    'text/plain',
  );
  expect(bytes).toBe(totalBytes);
  expect(mostAhead).toBeGreaterThan(PARTS_UNDER_WAY * PART);
  expect(mostAhead).toBeLessThanOrEqual(PARTS_UNDER_WAY * PART + READ_AHEAD);
});
