import { compareKeys } from './keys.ts';
import type { StoredObject } from './records.ts';

/** A version of an object, or a delete marker where `object` is missing. */
export type Version = {
  readonly key: string;
  /** `null`, as S3 calls it, for what was written before the bucket was versioned. */
  readonly versionId: string;
  readonly lastModified: number;
  readonly object: StoredObject | undefined;
};

/**
 * What was ever written to a bucket and is still kept: in one that is not versioned the objects
 * themselves.
 */
export function createHistory() {
  /** Newest last. */
  const byKey = new Map<string, Version[]>();

  const add = (version: Version, keepEarlier: boolean) => {
    const earlier = byKey.get(version.key) ?? [];
    byKey.set(version.key, keepEarlier ? [...earlier, version] : [version]);
  };
  const sorted = <T>(of: (versions: readonly Version[]) => readonly T[]) =>
    [...byKey.keys()].sort(compareKeys).flatMap((key) => of(byKey.get(key) ?? []));

  return {
    put(object: StoredObject, versioned: boolean): void {
      const { key, versionId = 'null', lastModified } = object;
      add({ key, versionId, lastModified, object }, versioned);
    },
    /** Without a version id all of the key is forgotten. */
    remove(key: string, versionId: string | undefined, lastModified: number): void {
      if (versionId === undefined) byKey.delete(key);
      else add({ key, versionId, lastModified, object: undefined }, true);
    },
    get: (key: string, versionId: string) =>
      byKey.get(key)?.find((version) => version.versionId === versionId),
    oldestFirst: (): readonly Version[] => sorted((versions) => versions),
    newestFirst: (): readonly (Version & { readonly isLatest: boolean })[] =>
      sorted((versions) =>
        versions.toReversed().map((version, index) => ({ ...version, isLatest: index === 0 })),
      ),
  };
}
