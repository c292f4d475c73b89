import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type PutObjectCommandInput,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { acknowledgedOf } from './acknowledged.ts';
import { encodeCrc32 } from './checksum-guard.ts';
import { combineCrc32 } from './crc32-combine.ts';
import type { FileParts, PartMemory } from './part-memory.ts';

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
  /** Receives each piece that was copied and is not needed any more. */
  readonly onTaken: (piece: Buffer) => void;
  /** Receives the whole body before it is sent in a single request. */
  readonly onWhole: (whole: Buffer) => void;
  /** Receives the number of first bytes that are acknowledged, in whole parts. */
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
export type Filled = { readonly buffer: Buffer; readonly bytes: number; readonly crc: number };

/** The parts of one multipart upload, which is created with the first of them. */
export function createParts(job: UploadJob, memory: FileParts, onFailed: (error: unknown) => void) {
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
    // A request that was given up may still send from this buffer. S3 refuses bytes that do not
    // match the request's CRC-32.
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
     * @returns the first cause. A failed abort is none: the bucket's lifecycle ends that upload.
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
