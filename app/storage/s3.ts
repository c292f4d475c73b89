import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { StoreConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { ChecksumMismatch, encodeCrc32 } from './checksum-guard.ts';
import type { ObjectStore, RetryListener, StoredObject } from './object-store.ts';
import { createPartMemory, EXTRA_PARTS } from './part-memory.ts';
import { explain } from './refusals.ts';
import type { Limits } from './retry.ts';
import { createClient } from './s3-client.ts';
import { uploadBody } from './upload.ts';

/** Of a small object that was not acknowledged: what became of attempts that were not answered, or not rightly, nobody knows. */
const MAY_BE_WRITTEN = '; an attempt that was not acknowledged may have written it';

/** Before anything has started a wrong endpoint should be told soon; later an outage is worth waiting for. */
const PREFLIGHT_RETRY_SECONDS = 20;

/**
 * An S3 bucket, or anything that speaks S3 and answers writes with CRC32 checksums. Credentials: the SDK's own chain. `files` are written at once at the
 * most, and as many and `EXTRA_PARTS` parts are in memory.
 */
export function openS3(config: StoreConfig, files: number, onRetry: RetryListener): ObjectStore {
  const interruption = new AbortController();
  const limits: Limits = {
    retrySeconds: Math.min(config.retrySeconds, PREFLIGHT_RETRY_SECONDS),
    signal: interruption.signal,
  };
  const sha256Of = new WeakMap<object, () => Promise<string>>();
  const client = createClient(config, files + EXTRA_PARTS, limits, onRetry, sha256Of);
  const memory = createPartMemory(EXTRA_PARTS);
  const written: Partial<PutObjectCommandInput> = {
    ...(config.kmsKeyId !== undefined && {
      ServerSideEncryption: 'aws:kms' as const,
      SSEKMSKeyId: config.kmsKeyId,
    }),
    ...(config.objectTags !== undefined && { Tagging: config.objectTags }),
  };
  const data: Partial<PutObjectCommandInput> = {
    ...written,
    ...(config.storageClass !== undefined && {
      StorageClass: config.storageClass as NonNullable<PutObjectCommandInput['StorageClass']>,
    }),
  };

  const failed = (key: string, error: unknown, more = ''): Failure => {
    if (error instanceof Failure) return error;
    if (interruption.signal.reason instanceof Failure) return interruption.signal.reason;
    const reason = `could not write s3://${config.bucket}/${key}: ${explain(error, config)}${more}`;
    return new Failure('upload', reason, { cause: error });
  };

  return {
    probe: async (key) => {
      try {
        const { UploadId } = await client.send(
          new CreateMultipartUploadCommand({
            Bucket: config.bucket,
            Key: key,
            ChecksumAlgorithm: 'CRC32',
            ...written,
          }),
        );
        await client.send(new AbortMultipartUploadCommand({ Bucket: config.bucket, Key: key, UploadId }));
        limits.retrySeconds = config.retrySeconds;
      } catch (error) {
        throw new Failure(
          'preflight',
          `bucket ${config.bucket} cannot be written to: ${explain(error, config)}`,
          {
            cause: error,
          },
        );
      }
    },

    upload: async (
      key,
      body,
      contentType,
      { partBytes = config.partBytes, onAcknowledged, onTaken, sha256 } = {},
    ) => {
      const target = {
        ...data,
        Bucket: config.bucket,
        Key: key,
        ContentType: contentType,
        ChecksumAlgorithm: 'CRC32' as const,
      };
      try {
        const uploaded = await uploadBody(
          {
            client,
            target,
            partBytes,
            memory,
            onTaken: (piece) => onTaken?.(piece),
            onWhole: (whole) => {
              if (sha256 !== undefined) sha256Of.set(whole, sha256);
            },
            onAcknowledged: (bytes) => onAcknowledged?.(bytes),
          },
          body,
        );
        return acknowledged(key, uploaded, uploaded.answered);
      } catch (error) {
        throw failed(key, error);
      }
    },

    create: async (key, body, contentType) => {
      const tally = { bytes: body.byteLength, crc: crc32(body) };
      const input: PutObjectCommandInput = {
        Bucket: config.bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        IfNoneMatch: '*',
        ...written,
      };
      try {
        const answer = await client.send(new PutObjectCommand(input));
        return acknowledged(key, tally, answer.ChecksumCRC32);
      } catch (error) {
        if (await isOurEarlierAttempt(client, config.bucket, key, tally, error)) {
          return { key, bytes: tally.bytes, crc32: encodeCrc32(tally.crc) };
        }
        throw failed(key, error, mayBeWritten(error) ? MAY_BE_WRITTEN : '');
      }
    },

    interrupt: (reason) => interruption.abort(reason),
    close: () => client.destroy(),
  };
}

/**
 * A conditional write whose answer was lost is refused when it is sent again, by what it wrote itself. Where the role may
 * read, the object's checksum tells; where it may not, the key tells: it holds the run's own start time, and the lock on
 * the source keeps other runs away.
 */
async function isOurEarlierAttempt(
  client: S3Client,
  bucket: string,
  key: string,
  tally: { bytes: number; crc: number },
  error: unknown,
): Promise<boolean> {
  if ((error as { name?: string }).name !== 'PreconditionFailed' || attemptsOf(error) < 2) return false;
  try {
    const head = await client.send(
      new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' }),
    );
    return head.ContentLength === tally.bytes && head.ChecksumCRC32 === encodeCrc32(tally.crc);
  } catch (headError) {
    return (headError as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode === 403;
  }
}

function mayBeWritten(error: unknown): boolean {
  return attemptsOf(error) > 1 || error instanceof ChecksumMismatch;
}

function attemptsOf(error: unknown): number {
  return (error as { $metadata?: { attempts?: number } } | undefined)?.$metadata?.attempts ?? 1;
}

function acknowledged(
  key: string,
  tally: { bytes: number; crc: number },
  answered: string | undefined,
): StoredObject {
  const sent = encodeCrc32(tally.crc);
  if (answered !== sent) {
    throw new Error(`answered with checksum ${answered ?? 'none'} for the whole object, sent was ${sent}`);
  }
  return { key, bytes: tally.bytes, crc32: sent };
}
