import type { FileHandle } from 'node:fs/promises';
import {
  type Algorithm,
  algorithmNamed,
  algorithmOfHeader,
  checkShape,
  checksumHeader,
  createHasher,
  headerName,
} from './checksums.ts';
import { decodeAwsChunked } from './chunked.ts';
import { type Headers, S3Error } from './types.ts';

/** The largest body of one PutObject or UploadPart, in bytes. */
const largestBody = 5 * 1024 ** 3;
const writeBatch = 1024 ** 2;

/** What a request's headers promise about its body. */
export type BodyPlan = {
  /** Bytes of content once decoded. */
  readonly size: number;
  readonly chunked: boolean;
  readonly md5: string | undefined;
  readonly sha256: string | undefined;
  readonly checksum:
    | { readonly algorithm: Algorithm; readonly value: string | undefined }
    | undefined;
};

/**
 * Reads the promises of a body's headers before any of it is read.
 * Throws MissingContentLength, EntityTooLarge, InvalidDigest or InvalidRequest.
 */
export function planBody(headers: Headers): BodyPlan {
  const contentSha256 = headers['x-amz-content-sha256'];
  const chunked = contentSha256?.startsWith('STREAMING-') ?? false;
  const length = headers[chunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (length === undefined || !/^\d+$/.test(length))
    throw new S3Error(
      411,
      'MissingContentLength',
      'You must provide the Content-Length HTTP header.',
    );
  const size = Number(length);
  if (size > largestBody)
    throw new S3Error(
      400,
      'EntityTooLarge',
      'Your proposed upload exceeds the maximum allowed size',
    );

  const md5 = headers['content-md5'];
  if (md5 !== undefined && !/^[A-Za-z0-9+/]{22}==$/.test(md5))
    throw new S3Error(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  const sha256 =
    contentSha256 !== undefined && /^[0-9a-f]{64}$/.test(contentSha256) ? contentSha256 : undefined;
  return { size, chunked, md5, sha256, checksum: promisedChecksum(headers) };
}

function promisedChecksum(headers: Headers): BodyPlan['checksum'] {
  const given = checksumHeader(headers);
  const trailer = headers['x-amz-trailer']?.toLowerCase().trim();
  const algorithm = trailer === undefined ? undefined : algorithmOfHeader(trailer);
  if (trailer !== undefined && algorithm === undefined)
    throw new S3Error(
      400,
      'InvalidRequest',
      'The value specified in the x-amz-trailer header is not supported',
    );
  if (given !== undefined && algorithm !== undefined)
    throw new S3Error(400, 'InvalidRequest', 'Expecting a single x-amz-checksum- header');
  if (given !== undefined) checkShape(given.algorithm, given.value);

  const named = headers['x-amz-sdk-checksum-algorithm'];
  const promised = given ?? (algorithm === undefined ? undefined : { algorithm, value: undefined });
  if (named !== undefined) {
    if (promised === undefined)
      throw new S3Error(
        400,
        'InvalidRequest',
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or ' +
          'x-amz-trailer headers were found.',
      );
    if (algorithmNamed(named) !== promised.algorithm)
      throw new S3Error(
        400,
        'InvalidRequest',
        'Value for x-amz-sdk-checksum-algorithm header is invalid.',
      );
  }
  return promised;
}

/** What a body turned out to be once all of it was read and every checksum agreed. */
export type ReceivedBody = {
  /** Hex MD5, known only when the request carried a Content-MD5. */
  readonly md5: string | undefined;
  /** Base64. */
  readonly checksum: { readonly algorithm: Algorithm; readonly value: string };
};

/**
 * Streams a body into `write`, verifying its length and every checksum promised in headers or
 * trailers. Without a promised checksum it computes one by `fallback`. Throws IncompleteBody,
 * BadDigest, XAmzContentSHA256Mismatch or InvalidRequest; the caller discards what was written.
 */
export async function receiveBody(
  plan: BodyPlan,
  source: AsyncIterable<Buffer>,
  write: (chunk: Buffer) => Promise<void> | undefined,
  fallback: Algorithm = 'CRC64NVME',
): Promise<ReceivedBody> {
  const trailers = new Map<string, string>();
  const algorithm = plan.checksum?.algorithm ?? fallback;
  const checksum = createHasher(algorithm);
  const md5 = plan.md5 === undefined ? undefined : createHasher('MD5');
  const sha256 = plan.sha256 === undefined ? undefined : createHasher('SHA256');

  let size = 0;
  for await (const chunk of plan.chunked ? decodeAwsChunked(source, trailers) : source) {
    size += chunk.length;
    if (size > plan.size) break;
    checksum.update(chunk);
    md5?.update(chunk);
    sha256?.update(chunk);
    const pending = write(chunk);
    if (pending !== undefined) await pending;
  }
  if (size !== plan.size)
    throw new S3Error(
      400,
      'IncompleteBody',
      'You did not provide the number of bytes specified by the Content-Length HTTP header.',
    );

  const actualMd5 = md5?.digest();
  if (actualMd5 !== undefined && actualMd5.toString('base64') !== plan.md5)
    throw new S3Error(
      400,
      'BadDigest',
      'The Content-MD5 you specified did not match what we received.',
    );
  if (sha256 !== undefined && sha256.digest().toString('hex') !== plan.sha256)
    throw new S3Error(
      400,
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    );
  const value = checksum.digest().toString('base64');
  if (plan.checksum !== undefined) {
    const promised = plan.checksum.value ?? trailers.get(headerName(algorithm));
    if (promised === undefined)
      throw new S3Error(
        400,
        'MalformedTrailerError',
        'The request did not contain the trailer it announced.',
      );
    checkShape(algorithm, promised);
    if (promised !== value)
      throw new S3Error(
        400,
        'BadDigest',
        `The ${algorithm} you specified did not match the calculated checksum.`,
      );
  }
  return { md5: actualMd5?.toString('hex'), checksum: { algorithm, value } };
}

/**
 * Writes chunks to a file from `offset` on, a megabyte at a time, reading on while the last batch
 * is being written.
 */
export function fileSink(handle: FileHandle, offset = 0) {
  let position = offset;
  let batch: Buffer[] = [];
  let batchSize = 0;
  let writing: Promise<void> = Promise.resolve();

  async function put(buffers: Buffer[], size: number, at: number) {
    const { bytesWritten } = await handle.writev(buffers, at);
    if (bytesWritten !== size) throw new Error(`wrote ${bytesWritten} of ${size} bytes`);
  }

  async function flush() {
    const previous = writing;
    const [buffers, size, at] = [batch, batchSize, position];
    batch = [];
    batchSize = 0;
    position += size;
    await previous;
    writing = put(buffers, size, at);
    // The next caller to await the write gets the failure. Until then this keeps it from being
    // unhandled.
    writing.catch(() => undefined);
  }

  return {
    write(chunk: Buffer): Promise<void> | undefined {
      batch.push(chunk);
      batchSize += chunk.length;
      return batchSize >= writeBatch ? flush() : undefined;
    },
    /**
     * Resolves when all is written; must be called before the file is closed, also after a failure.
     */
    async end(): Promise<void> {
      if (batchSize > 0) await flush();
      await writing;
    },
    /** Waits for the write under way and forgets the rest. */
    async abandon(): Promise<void> {
      batch = [];
      batchSize = 0;
      await writing.catch(() => undefined);
    },
  };
}

/**
 * Reads a request document into memory. Throws MaxMessageLengthExceeded above 4 MiB, otherwise as
 * receiveBody.
 */
export async function readDocument(
  headers: Headers,
  source: AsyncIterable<Buffer>,
): Promise<string> {
  const plan = planBody(headers);
  if (plan.size > 4 * 1024 ** 2)
    throw new S3Error(400, 'MaxMessageLengthExceeded', 'Your request was too big.');
  const chunks: Buffer[] = [];
  await receiveBody(plan, source, (chunk) => void chunks.push(chunk), 'CRC32');
  return Buffer.concat(chunks).toString('utf8');
}
