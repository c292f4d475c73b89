import { MANIFEST_NAME } from '../contract.ts';
import type { ListedObject } from '../storage/backup-store.ts';
import type { Manifest, ManifestClaim, ManifestFile } from './schema.ts';

export type Fault = { readonly key: string; readonly reason: string };

/**
 * Compares a folder's listing with its manifest: missing objects, extra objects, other sizes. Pure.
 * Takes the listing object by object, so that it need not fit in memory. `files` and `claims` (one
 * or none) are the objects whose content can be checked next.
 */
export function compareListing(
  manifest: Manifest,
  folder: string,
): {
  readonly saw: (object: ListedObject) => Fault | undefined;
  readonly end: () => {
    readonly missing: readonly Fault[];
    readonly files: readonly ManifestFile[];
    readonly claims: readonly ManifestClaim[];
  };
} {
  const claims = manifest.claim === null ? [] : [manifest.claim];
  const objects = [...manifest.files, ...claims];
  const expected = new Map(objects.map(({ key, storedBytes }) => [key, storedBytes]));
  const seen = new Set<string>();
  const wrong = new Set<string>();
  const isPresent = ({ key }: { readonly key: string }) => seen.has(key) && !wrong.has(key);
  return {
    saw: ({ key, bytes }) => {
      if (key === `${folder}${MANIFEST_NAME}`) return undefined;
      const expectedBytes = expected.get(key);
      if (expectedBytes === undefined) return { key, reason: 'is not in the manifest' };
      seen.add(key);
      if (bytes === expectedBytes) return undefined;
      wrong.add(key);
      return { key, reason: `has ${bytes} bytes, the manifest says ${expectedBytes}` };
    },
    end: () => ({
      missing: objects
        .filter(({ key }) => !seen.has(key))
        .map(({ key }) => ({ key, reason: 'is missing' })),
      files: manifest.files.filter(isPresent),
      claims: claims.filter(isPresent),
    }),
  };
}
