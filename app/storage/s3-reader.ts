import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { StoreConfig } from '../config.ts';
import { Failure, type FailureKind } from '../errors.ts';
import { piecesOf } from '../pieces-of.ts';
import { type BackupStore, ObjectMissing } from './backup-store.ts';
import type { RetryListener } from './object-store.ts';
import { explain } from './refusals.ts';
import { backoffMilliseconds, isTransient, type Limits } from './retry.ts';
import { createClient } from './s3-client.ts';

/** A body may be this far ahead of its reader. */
const READ_AHEAD_BYTES = 256 * 1024;

/**
 * Opens a bucket for reading. Its errors are failures of `kind`. `concurrency` requests are under
 * way at once.
 */
export function openS3Reader(
  config: StoreConfig,
  concurrency: number,
  kind: FailureKind,
  onRetry: RetryListener,
): BackupStore {
  const interruption = new AbortController();
  const limits: Limits = { retrySeconds: config.retrySeconds, signal: interruption.signal };
  const client = createClient(config, concurrency, limits, onRetry);
  const Bucket = config.bucket;

  const failed = (what: string, error: unknown): Error => {
    if (interruption.signal.reason instanceof Failure) return interruption.signal.reason;
    if (error instanceof Failure || error instanceof ObjectMissing) return error;
    const reason = explain(error, config).replace(
      /s3:PutObject and s3:AbortMultipartUpload/,
      's3:GetObject and s3:ListBucket',
    );
    return new Failure(kind, `could not read s3://${Bucket}/${what}: ${reason}`, { cause: error });
  };
  const asking = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw failed(what, error);
    }
  };
  const orMissing = async <T>(work: Promise<T>): Promise<T | undefined> => {
    try {
      return await work;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  };

  return {
    folders: (prefix) =>
      asking(prefix, async () => {
        const found: string[] = [];
        for await (const page of paginateListObjectsV2(
          { client },
          { Bucket, Prefix: prefix, Delimiter: '/' },
        )) {
          for (const { Prefix } of page.CommonPrefixes ?? []) {
            const segment = Prefix?.slice(prefix.length, -1) ?? '';
            if (segment !== '') found.push(segment);
          }
        }
        return found;
      }),
    objects: async function* (prefix) {
      try {
        for await (const page of paginateListObjectsV2({ client }, { Bucket, Prefix: prefix })) {
          for (const { Key, Size } of page.Contents ?? [])
            yield { key: Key ?? '', bytes: Size ?? -1 };
        }
      } catch (error) {
        throw failed(prefix, error);
      }
    },
    head: (key) =>
      asking(key, async () => {
        const head = await orMissing(
          client.send(new HeadObjectCommand({ Bucket, Key: key, ChecksumMode: 'ENABLED' })),
        );
        return head === undefined
          ? undefined
          : { bytes: head.ContentLength ?? -1, crc32: head.ChecksumCRC32 };
      }),
    read: (key, mostBytes) =>
      asking(key, async () => {
        const pieces: Buffer[] = [];
        let bytes = 0;
        try {
          for await (const piece of bodyOf(client, Bucket, key, limits, onRetry)) {
            bytes += piece.byteLength;
            if (bytes > mostBytes) throw new Error(`it is larger than ${mostBytes} bytes`);
            pieces.push(piece);
          }
        } catch (error) {
          if (error instanceof ObjectMissing) return undefined;
          throw error;
        }
        return Buffer.concat(pieces);
      }),
    open: (key) => {
      const pieces = async function* () {
        try {
          yield* bodyOf(client, Bucket, key, limits, onRetry);
        } catch (error) {
          throw failed(key, error);
        }
      };
      return Readable.from(pieces(), { objectMode: false, highWaterMark: READ_AHEAD_BYTES });
    },
    interrupt: (reason) => interruption.abort(reason),
    close: () => client.destroy(),
  };
}

/**
 * A body that survives broken connections. It resumes after the last byte received, from the same
 * version (`If-Match`). It gives up when no byte has come for the time that one request may be
 * retried.
 */
async function* bodyOf(
  client: S3Client,
  bucket: string,
  key: string,
  limits: Limits,
  onRetry: RetryListener,
): AsyncGenerator<Buffer> {
  let offset = 0;
  let etag: string | undefined;
  let lastByteAt = performance.now();
  let failures = 0;
  for (;;) {
    try {
      const range = offset === 0 ? {} : { Range: `bytes=${offset}-`, IfMatch: etag };
      const answer = await client.send(
        new GetObjectCommand({ Bucket: bucket, Key: key, ...range }),
      );
      etag ??= answer.ETag;
      const total = offset + (answer.ContentLength ?? 0);
      for await (const piece of piecesOf(bodyIn(answer))) {
        offset += piece.byteLength;
        lastByteAt = performance.now();
        failures = 0;
        yield piece;
        lastByteAt = performance.now();
      }
      if (offset >= total) return;
      throw Object.assign(new Error('the connection was closed in the middle'), {
        code: 'ECONNRESET',
      });
    } catch (error) {
      if (isMissing(error)) throw new ObjectMissing(key);
      const patience = limits.retrySeconds * 1000 - (performance.now() - lastByteAt);
      if (limits.signal.aborted || patience <= 0 || !isTransient(error)) throw error;
      failures += 1;
      onRetry({
        operation: 'GetObject',
        key,
        reason: error instanceof Error ? error.message : String(error),
      });
      await sleep(backoffMilliseconds(failures, Math.random()), undefined, {
        signal: limits.signal,
      });
    }
  }
}

function bodyIn({ Body }: GetObjectCommandOutput): Readable {
  if (Body === undefined) throw new Error('it was answered without a body');
  return Body as unknown as Readable;
}

function isMissing(error: unknown): boolean {
  const { name, $metadata } = error as { name?: string; $metadata?: { httpStatusCode?: number } };
  if (name === 'NoSuchBucket') return false;
  return name === 'NoSuchKey' || name === 'NotFound' || $metadata?.httpStatusCode === 404;
}
