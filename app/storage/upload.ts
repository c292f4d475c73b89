import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { acknowledgedOf } from './acknowledged.ts';
import { encodeCrc32 } from './checksum-guard.ts';
import { createParts, type Filled, type Uploaded, type UploadJob } from './multipart.ts';
import type { FileParts } from './part-memory.ts';

/**
 * Writes a stream as one object: in a single request when it ends within one part, else in parts.
 * It reads the body no faster than S3 acknowledges parts. It ends with the first failure, of a
 * request or of the body: it destroys the body and aborts the multipart upload first.
 *
 * The CRC-32 of each part comes from the pieces as they arrive, and S3 must confirm it. This also
 * detects errors in joining a part.
 */
export async function uploadBody(job: UploadJob, body: Readable): Promise<Uploaded> {
  const { partBytes } = job;
  const memory = job.memory.open();
  const pieces = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let interrupt: (error: unknown) => void = () => {};
  const parts = createParts(job, memory, (error) => {
    memory.end();
    interrupt(error);
  });
  /**
   * The next piece, or the failure of a part meanwhile. Destroying the body would not report it:
   * that waits for its source. The source waits for a file to grow, and the file may never grow
   * while nothing is shipped.
   */
  const nextPiece = () =>
    new Promise<IteratorResult<Buffer>>((resolve, reject) => {
      parts.throwIfFailed();
      interrupt = reject;
      pieces.next().then(resolve, reject);
    });
  let buffer = await memory.take(partBytes);
  let filledBytes = 0;
  let crc = 0;
  try {
    for (let next = await nextPiece(); next.done !== true; next = await nextPiece()) {
      const piece = next.value;
      for (let taken = 0; taken < piece.byteLength; ) {
        // A part goes when it is full and more has come: the last one is never empty.
        if (filledBytes === partBytes) {
          await parts.send({ buffer, bytes: filledBytes, crc });
          buffer = await memory.take(partBytes);
          parts.throwIfFailed();
          filledBytes = 0;
          crc = 0;
        }
        const copiedBytes = piece.copy(buffer, filledBytes, taken);
        crc = crc32(piece.subarray(taken, taken + copiedBytes), crc);
        filledBytes += copiedBytes;
        taken += copiedBytes;
      }
      job.onTaken(piece);
    }
    const last = { buffer, bytes: filledBytes, crc };
    if (parts.count() === 0) return await putWhole(job, memory, last);
    await parts.send(last);
    return await parts.complete();
  } catch (error) {
    body.destroy();
    throw await parts.abort(error);
  } finally {
    memory.end();
  }
}

async function putWhole(
  { client, target, partBytes, onWhole, onAcknowledged }: UploadJob,
  memory: FileParts,
  { buffer, bytes, crc }: Filled,
): Promise<Uploaded> {
  const Body = buffer.subarray(0, bytes);
  onWhole(Body);
  const ChecksumCRC32 = encodeCrc32(crc);
  const answered = await acknowledgedOf(
    client.send(new PutObjectCommand({ ...target, Body, ChecksumCRC32, IfNoneMatch: '*' })),
    ChecksumCRC32,
  );
  memory.giveBack(buffer);
  onAcknowledged(partBytes);
  return { bytes, crc, answered };
}
