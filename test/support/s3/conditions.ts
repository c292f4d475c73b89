import type { Bucket } from './store.ts';
import { type Headers, S3Error } from './types.ts';

/** A condition on a write: the key must not exist, or its object must have this ETag. */
export type Condition =
  | { readonly kind: 'absent' }
  | { readonly kind: 'etag'; readonly etag: string }
  | undefined;

/**
 * Reads If-None-Match and If-Match of a write. Throws NotImplemented for what S3 does not support
 * there.
 */
export function conditionOf(headers: Headers): Condition {
  const noneMatch = headers['if-none-match'];
  const match = headers['if-match'];
  if (
    (noneMatch !== undefined && noneMatch !== '*') ||
    (noneMatch !== undefined && match !== undefined)
  )
    throw new S3Error(
      501,
      'NotImplemented',
      'A header you provided implies functionality that is not implemented',
    );
  if (noneMatch !== undefined) return { kind: 'absent' };
  return match === undefined ? undefined : { kind: 'etag', etag: match.replace(/^"|"$/g, '') };
}

/**
 * Keeps an eye on a key while a conditional write goes on. `check` throws PreconditionFailed (or
 * NoSuchKey) where the condition does not hold, and ConditionalRequestConflict where another write
 * or delete of the key came in between.
 */
export function watchCondition(bucket: Bucket, key: string, condition: Condition) {
  if (condition === undefined) return { check: () => undefined, stop: () => undefined };
  const watcher = bucket.watch(key);
  return {
    check(): void {
      if (watcher.changed())
        throw new S3Error(
          409,
          'ConditionalRequestConflict',
          'The conditional request cannot succeed due to a conflicting operation against this ' +
            'resource.',
        );
      const object = bucket.get(key);
      if (condition.kind === 'etag' && object === undefined)
        throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
      if (condition.kind === 'absent' ? object !== undefined : object?.etag !== condition.etag)
        throw new S3Error(
          412,
          'PreconditionFailed',
          'At least one of the pre-conditions you specified did not hold',
        );
    },
    stop: () => watcher.stop(),
  };
}
