import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3';
import type { StoreConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { acknowledgedOf } from './acknowledged.ts';
import { ChecksumMismatch, encodeCrc32 } from './checksum-guard.ts';
import type { ObjectStore, RetryListener, StoredObject } from './object-store.ts';
import { createPartMemory, EXTRA_PARTS } from './part-memory.ts';
import { explain, isNotImplemented } from './refusals.ts';
import { isPreconditionFailed, type Limits } from './retry.ts';
import { createClient } from './s3-client.ts';
import { uploadBody } from './upload.ts';

/**
 * Reports that a small object was not acknowledged. The result of an attempt without a valid answer
 * is unknown.
 */
const MAY_BE_WRITTEN = '; an attempt that was not acknowledged may have written it';

const CONDITIONAL_WRITES = 'conditional writes (If-None-Match: *)';
const USE_ANOTHER =
  'without them two runs can mix their files in one folder; ' +
  'use Amazon S3 or a store that does conditional writes';

/**
 * Before the run has started, it reports a wrong endpoint soon. Later it waits longer for the end
 * of an outage.
 */
const PREFLIGHT_RETRY_SECONDS = 20;

/**
 * An S3 bucket, or any store that speaks S3 and answers writes with CRC32 checksums. Credentials:
 * the SDK's own chain. At most `files` files are written at once, and that many parts plus
 * `EXTRA_PARTS` are in memory.
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

  /**
   * Options of the small objects beside the data. They are read at once and stay in the standard
   * class.
   */
  const put = (key: string, body: Uint8Array, contentType: string) =>
    client.send(
      new PutObjectCommand({
        Bucket: config.bucket,
        Key: key,
        Body: body,
        ContentType: contentType,
        IfNoneMatch: '*',
        ...written,
      }),
    );

  const unwritable = (error: unknown): Failure => {
    const reason = `bucket ${config.bucket} cannot be written to: ${explain(error, config)}`;
    return new Failure('preflight', reason, { cause: error });
  };

  const withoutConditions = (what: string, said: string, cause?: unknown): Failure => {
    const reason = `the store of bucket ${config.bucket} ${what}: ${USE_ANOTHER} (${said})`;
    return new Failure('preflight', reason, { cause });
  };

  const unclaimable = (error: unknown): Failure => {
    if (!isNotImplemented(error)) return unwritable(error);
    return withoutConditions(`lacks ${CONDITIONAL_WRITES}`, explain(error, config), error);
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
        await client.send(
          new AbortMultipartUploadCommand({ Bucket: config.bucket, Key: key, UploadId }),
        );
        limits.retrySeconds = config.retrySeconds;
      } catch (error) {
        throw unwritable(error);
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

    claim: async (key, body) => {
      const tally = { bytes: body.byteLength, crc: crc32(body) };
      let stored: StoredObject;
      try {
        stored = acknowledged(key, tally, (await put(key, body, 'application/json')).ChecksumCRC32);
      } catch (error) {
        // After an attempt without an answer this may be our own object. The refusal cannot
        // distinguish the two.
        if (isPreconditionFailed(error)) return undefined;
        throw unclaimable(error);
      }
      try {
        await put(key, body, 'application/json');
      } catch (error) {
        if (isPreconditionFailed(error)) return stored;
        throw unclaimable(error);
      }
      throw withoutConditions(`ignores ${CONDITIONAL_WRITES}`, `it replaced ${key}`);
    },

    create: async (key, body, contentType) => {
      const tally = { bytes: body.byteLength, crc: crc32(body) };
      try {
        const answered = await acknowledgedOf(put(key, body, contentType), encodeCrc32(tally.crc));
        return acknowledged(key, tally, answered);
      } catch (error) {
        throw failed(key, error, mayBeWritten(error) ? MAY_BE_WRITTEN : '');
      }
    },

    interrupt: (reason) => interruption.abort(reason),
    close: () => client.destroy(),
  };
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
    throw new Error(
      `answered with checksum ${answered ?? 'none'} for the whole object, sent was ${sent}`,
    );
  }
  return { key, bytes: tally.bytes, crc32: sent };
}
