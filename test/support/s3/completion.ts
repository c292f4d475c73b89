import { createHash } from 'node:crypto';
import { truncate } from 'node:fs/promises';
import { writeAssembly } from './assembly.ts';
import { type Checksum, checksumOfParts } from './checksums.ts';
import { noSuchUpload, smallestPart } from './multipart.ts';
import type { OpenUpload, Part, StoredObject } from './records.ts';
import type { Bucket } from './store.ts';
import { S3Error } from './types.ts';

/** A part as CompleteMultipartUpload's document lists it. */
export type ListedPart = {
  readonly number: number;
  readonly etag: string;
  /** Base64 checksums by algorithm. */
  readonly checksums: Readonly<Record<string, string>>;
};

/** What a CompleteMultipartUpload asks to be true of the object, beside its parts. */
export type CompletionClaims = {
  readonly checksum: { readonly algorithm: string; readonly value: string } | undefined;
  readonly type: string | undefined;
  readonly size: string | undefined;
};

/**
 * Makes the object of the listed parts. `mayCommit` is asked before anything is touched and again
 * at the last moment, and throws to refuse. Throws InvalidPart, InvalidPartOrder, EntityTooSmall,
 * InvalidRequest or BadDigest; the upload then stays open.
 */
export async function completeUpload(
  bucket: Bucket,
  upload: OpenUpload,
  listed: readonly ListedPart[],
  claims: CompletionClaims,
  mayCommit: () => void,
): Promise<StoredObject> {
  const parts = checkedParts(upload, listed);
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const checksum = checksumOfParts(
    upload.algorithm,
    upload.type,
    parts.map((part) => ({ value: part.checksum.value, size: part.size })),
  );
  checkClaims(claims, checksum, size);

  mayCommit();
  const built = await writeAssembly(bucket, upload, parts);
  await truncate(built, size);
  if (bucket.uploads.get(upload.id) !== upload) throw noSuchUpload();
  try {
    mayCommit();
  } catch (error) {
    // As documented for ConditionalRequestConflict, such an upload has to be begun anew.
    await bucket.endUpload(upload.id);
    throw error;
  }
  const etags = createHash('md5');
  for (const part of parts) etags.update(Buffer.from(part.etag, 'hex'));
  const object = bucket.put(
    {
      key: upload.key,
      size,
      etag: `${etags.digest('hex')}-${parts.length}`,
      lastModified: Date.now(),
      checksum,
      attributes: upload.attributes,
      madeBy: { uploadId: upload.id, parts: fingerprint(listed) },
    },
    built,
  );
  await bucket.endUpload(upload.id);
  return object;
}

/** Identifies a list of parts, to recognise a completion asked for again. */
export function fingerprint(listed: readonly ListedPart[]): string {
  return createHash('sha256')
    .update(listed.map((part) => `${part.number}:${part.etag}`).join())
    .digest('hex');
}

function checkedParts(upload: OpenUpload, listed: readonly ListedPart[]): Part[] {
  const needsChecksums = upload.declared && upload.type === 'COMPOSITE';
  const parts = listed.map((item, index) => {
    if (index > 0 && item.number <= (listed[index - 1]?.number ?? 0))
      throw new S3Error(
        400,
        'InvalidPartOrder',
        'The list of parts was not in ascending order. Parts must be ordered by part number.',
      );
    const part = upload.parts.get(item.number);
    if (part === undefined || part.etag !== item.etag) throw invalidPart();
    const given = Object.keys(item.checksums);
    if (needsChecksums && !given.includes(upload.algorithm)) {
      const name = upload.algorithm.toLowerCase();
      throw new S3Error(
        400,
        'InvalidRequest',
        `The upload was created using a ${name} checksum. The complete request must ` +
          'include the checksum for ' +
          `each part. It was missing for part ${item.number} in the request.`,
      );
    }
    if (
      given.some(
        (name) => name !== part.checksum.algorithm || item.checksums[name] !== part.checksum.value,
      )
    )
      throw invalidPart();
    return part;
  });
  for (const part of parts.slice(0, -1))
    if (part.size < smallestPart)
      throw new S3Error(
        400,
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
      );
  return parts;
}

function checkClaims(claims: CompletionClaims, checksum: Checksum, size: number): void {
  if (claims.type !== undefined && claims.type !== checksum.type)
    throw new S3Error(
      400,
      'InvalidRequest',
      `The upload was created using the ${checksum.type} checksum mode. The complete request ` +
        'must use the same checksum mode.',
    );
  if (claims.size !== undefined && claims.size !== String(size))
    throw new S3Error(
      400,
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${claims.size} does not match what ` +
        `was computed: ${size}`,
    );
  if (claims.checksum === undefined) return;
  const { algorithm, value } = claims.checksum;
  if (algorithm !== checksum.algorithm || value !== checksum.value)
    throw new S3Error(
      400,
      'BadDigest',
      `The ${algorithm} you specified did not match the calculated checksum.`,
    );
}

function invalidPart(): S3Error {
  return new S3Error(
    400,
    'InvalidPart',
    'One or more of the specified parts could not be found. The part may not have been ' +
      'uploaded, or the specified ' +
      "entity tag may not match the part's entity tag.",
  );
}
