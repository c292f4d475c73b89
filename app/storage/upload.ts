import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { encodeCrc32 } from './checksum-guard.ts';
import { combineCrc32 } from './crc32-combine.ts';
import type { FileParts, PartMemory } from './part-memory.ts';
import { isRefusedByOwnAttempt } from './retry.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

export type UploadJob = {
  readonly client: Pick<S3Client, 'send'>;
  /** Of the object. Its checksum is asked for over all of it, whether it goes in parts or not. */
  readonly target: Partial<PutObjectCommandInput> & {
    readonly Bucket: string;
    readonly Key: string;
  };
  readonly partBytes: number;
  readonly memory: PartMemory;
  /** Told of each piece that was copied and is not needed any more. */
  readonly onTaken: (piece: Buffer) => void;
  /** Told of the whole body when it goes in a single request, before it is sent. */
  readonly onWhole: (whole: Buffer) => void;
  /** Told how many of the first bytes are acknowledged, in whole parts. */
  readonly onAcknowledged: (bytes: number) => void;
};

export type Uploaded = {
  readonly bytes: number;
  /** Of all pieces, as they came. */
  readonly crc: number;
  /** What S3 answered with for the whole object. */
  readonly answered: string | undefined;
};

/** The first bytes of a buffer, and their CRC-32 from before they were put there. */
type Filled = { readonly buffer: Buffer; readonly bytes: number; readonly crc: number };

/**
 * Writes a stream as one object: in a single request when it ends within one part, else in parts.
 * The body is read no faster than parts are acknowledged. Ends with the first failure, of a request
 * or of the body, after the multipart upload was aborted; the body is destroyed then.
 *
 * The CRC-32 of each part is made of the pieces as they come, and S3 has to agree with it: what
 * goes wrong in putting a part together is found too.
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
   * The next piece, or what a part has failed with meanwhile. Not left to destroying the body: that
   * waits for its source, and the source for a file to grow, which it may never do while nothing is
   * shipped.
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

/**
 * The checksum that S3 answers to a conditional write of a whole object. A refusal by an earlier
 * attempt whose answer was lost is an acknowledgement too: S3 has checked `sent` then.
 */
export async function acknowledgedOf(
  write: Promise<{ readonly ChecksumCRC32?: string | undefined }>,
  sent: string,
): Promise<string | undefined> {
  try {
    return (await write).ChecksumCRC32;
  } catch (error) {
    if (isRefusedByOwnAttempt(error)) return sent;
    throw error;
  }
}

/** The parts of one multipart upload, which is created with the first of them. */
function createParts(job: UploadJob, memory: FileParts, onFailed: (error: unknown) => void) {
  const { client, target, partBytes, onAcknowledged } = job;
  const { Bucket, Key } = target;
  const underWay = new Set<Promise<void>>();
  const done: CompletedPart[] = [];
  const sent = { bytes: 0, crc: 0 };
  const early = new Set<number>();
  let count = 0;
  let inOrder = 0;
  let uploadId: string | undefined;
  let first: unknown;

  const fail = (error: unknown) => {
    first ??= error;
    onFailed(error);
  };
  const throwIfFailed = () => {
    if (first !== undefined) throw first;
  };

  /** Parts are acknowledged in any order; what counts is up to where all are. */
  const acknowledge = (partNumber: number) => {
    early.add(partNumber);
    const before = inOrder;
    while (early.delete(inOrder + 1)) inOrder += 1;
    if (inOrder > before) onAcknowledged(inOrder * partBytes);
  };

  const create = async (): Promise<string> => {
    const { UploadId } = await client.send(
      new CreateMultipartUploadCommand({ ...target, ChecksumType: 'FULL_OBJECT' }),
    );
    if (UploadId === undefined)
      throw new Error('CreateMultipartUpload was answered without an upload id');
    return UploadId;
  };

  const upload = async (UploadId: string, PartNumber: number, { buffer, bytes, crc }: Filled) => {
    const { ETag, ChecksumCRC32 } = await client.send(
      new UploadPartCommand({
        Bucket,
        Key,
        UploadId,
        PartNumber,
        Body: buffer.subarray(0, bytes),
        ChecksumAlgorithm: 'CRC32',
        ChecksumCRC32: encodeCrc32(crc),
      }),
    );
    if (ETag === undefined) throw new Error(`part ${PartNumber} was answered without an ETag`);
    // An attempt that was given up may still send from it: what does not fit the CRC-32 it began
    // with, S3 refuses.
    memory.giveBack(buffer);
    done.push({ PartNumber, ETag, ChecksumCRC32 });
    acknowledge(PartNumber);
  };

  return {
    count: () => count,
    throwIfFailed,
    /** Resolves once it is under way. @throws what an earlier part failed with. */
    send: async (filled: Filled): Promise<void> => {
      count += 1;
      sent.crc = combineCrc32(sent.crc, filled.crc, filled.bytes);
      sent.bytes += filled.bytes;
      if (count > MOST_PARTS)
        throw new Error(
          `it takes more than ${MOST_PARTS} parts of ${partBytes} bytes; raise PART_SIZE_MB`,
        );
      uploadId ??= await create();
      const part = upload(uploadId, count, filled)
        .catch(fail)
        .finally(() => underWay.delete(part));
      underWay.add(part);
      throwIfFailed();
    },
    complete: async (): Promise<Uploaded> => {
      await Promise.all(underWay);
      throwIfFailed();
      if (done.length !== count)
        throw new Error(`${done.length} of ${count} parts were acknowledged`);
      const Parts = done.toSorted(
        (left, right) => (left.PartNumber ?? 0) - (right.PartNumber ?? 0),
      );
      const ChecksumCRC32 = encodeCrc32(sent.crc);
      const answered = await acknowledgedOf(
        client.send(
          new CompleteMultipartUploadCommand({
            Bucket,
            Key,
            UploadId: uploadId,
            ChecksumType: 'FULL_OBJECT',
            ChecksumCRC32,
            IfNoneMatch: '*',
            MultipartUpload: { Parts },
          }),
        ),
        ChecksumCRC32,
      );
      uploadId = undefined;
      return { ...sent, answered };
    },
    /**
     * @returns the first cause; that the upload could not be aborted is none: the bucket's
     * lifecycle ends it.
     */
    abort: async (error: unknown): Promise<unknown> => {
      first ??= error;
      await Promise.all(underWay);
      if (uploadId !== undefined)
        await client
          .send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId: uploadId }))
          .catch(() => undefined);
      return first;
    },
  };
}
