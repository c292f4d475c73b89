import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Bucket, openBucket } from './store.ts';
import { type Answer, S3Error } from './types.ts';

/**
 * The buckets of one directory, those of an earlier run included. Throws RangeError for a name S3
 * would not allow.
 */
export function openBuckets(directory: string, names: readonly string[]) {
  const buckets = new Map<string, Bucket>();
  const open = (name: string) => {
    buckets.set(name, openBucket(join(directory, name)));
  };
  for (const name of names)
    if (!validName(name)) throw new RangeError(`not a bucket name: ${name}`);
  mkdirSync(directory, { recursive: true });
  const earlier = readdirSync(directory).filter((name) =>
    existsSync(join(directory, name, 'journal.jsonl')),
  );
  for (const name of new Set([...earlier, ...names])) open(name);

  return {
    names: () => buckets.keys(),
    /** Throws NoSuchBucket. */
    get(name: string): Bucket {
      const bucket = buckets.get(name);
      if (bucket === undefined)
        throw new S3Error(404, 'NoSuchBucket', 'The specified bucket does not exist');
      return bucket;
    },
    create(name: string): Answer {
      if (!validName(name))
        throw new S3Error(400, 'InvalidBucketName', 'The specified bucket is not valid.');
      if (buckets.has(name))
        throw new S3Error(
          409,
          'BucketAlreadyOwnedByYou',
          'Your previous request to create the named bucket succeeded and you already own it.',
        );
      open(name);
      return { status: 200, headers: { location: `/${name}` } };
    },
    close() {
      for (const bucket of buckets.values()) bucket.close();
    },
  };
}

function validName(name: string): boolean {
  return /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..');
}
