import { Readable } from 'node:stream';
import { onTestFinished, vi } from 'vitest';
import type { StoreConfig } from '../../../app/config.ts';
import { Failure } from '../../../app/errors.ts';
import type { ObjectStore } from '../../../app/storage/object-store.ts';
import { openS3 } from '../../../app/storage/s3.ts';
import { awsEnvironment } from '../program.ts';
import type { S3Server } from './server.ts';
import { mebibyte } from './test-setup.ts';

export type Retry = { readonly operation: string; readonly key: string; readonly reason: string };

/**
 * The program's own store over the test server, closed when the running test ends; `retries` holds
 * the retries that it reports.
 */
export function testStore(
  server: Pick<S3Server, 'endpoint'>,
  config: Partial<StoreConfig> = {},
): { readonly store: ObjectStore; readonly retries: readonly Retry[] } {
  for (const [name, value] of Object.entries(awsEnvironment({ s3: server.endpoint })))
    vi.stubEnv(name, value);
  const retries: Retry[] = [];
  const store = openS3({ ...storeConfig, ...config }, 2, (retry) => retries.push(retry));
  onTestFinished(() => {
    store.close();
    vi.unstubAllEnvs();
  });
  return { store, retries };
}

export const storeConfig: StoreConfig = {
  bucket: 'box',
  region: 'eu-central-1',
  forcePathStyle: true,
  storageClass: undefined,
  kmsKeyId: undefined,
  objectTags: undefined,
  partBytes: 5 * mebibyte,
  retrySeconds: 60,
};

/** The Failure that `work` ends with; anything else, a good end too, is an error. */
export async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const outcome = await work.then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
  if (outcome instanceof Failure) return outcome;
  throw outcome;
}

/** A body in chunks as a compressor gives them, of odd sizes. */
export function streamOf(bytes: Buffer, chunkBytes = 100_003): Readable {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkBytes)
    chunks.push(bytes.subarray(at, at + chunkBytes));
  return Readable.from(chunks);
}
