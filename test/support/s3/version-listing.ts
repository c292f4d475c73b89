import { readDocument } from './body.ts';
import { compareKeys } from './keys.ts';
import { encoderOf, limitOf } from './listing.ts';
import type { Bucket } from './store.ts';
import { type Answer, S3Error, type Target } from './types.ts';
import { childText, group, malformed, parseXml, tag, xmlDocument } from './xml.ts';

/** PutBucketVersioning: `Enabled` only; a bucket with versions stays so. */
export async function putBucketVersioning(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  const root = parseXml(await readDocument(target.headers, body));
  const status = childText(root, 'Status');
  if (root.name !== 'VersioningConfiguration' || status === undefined) throw malformed();
  if (status !== 'Enabled')
    throw new S3Error(501, 'NotImplemented', 'Versioning cannot be suspended here.');
  bucket.keepVersions();
  return { status: 200 };
}

/**
 * ListObjectVersions, a page of at most 1000 versions and delete markers; a delimiter is not
 * supported.
 */
export function listObjectVersions(bucket: Bucket, target: Target): Answer {
  const { query } = target;
  const prefix = query.get('prefix') ?? '';
  const keyMarker = query.get('key-marker') ?? '';
  const versionMarker = query.get('version-id-marker') ?? '';
  const limit = limitOf(query, 'max-keys');
  const encode = encoderOf(query);

  const all = bucket.versions().filter(({ key }) => key.startsWith(prefix));
  const marked = all.findIndex(
    ({ key, versionId }) => key === keyMarker && versionId === versionMarker,
  );
  if (versionMarker !== '' && marked === -1)
    throw new S3Error(400, 'InvalidArgument', 'Invalid version id specified');
  const rest =
    marked === -1
      ? all.filter(({ key }) => compareKeys(key, keyMarker) > 0)
      : all.slice(marked + 1);
  const page = rest.slice(0, limit);
  const isTruncated = page.length < rest.length;
  const last = page.at(-1);
  return {
    status: 200,
    body: xmlDocument('ListVersionsResult', [
      tag('Name', target.bucket),
      tag('Prefix', encode(prefix)),
      tag('KeyMarker', encode(keyMarker)),
      tag('VersionIdMarker', versionMarker),
      tag('MaxKeys', limit),
      tag('EncodingType', query.get('encoding-type') ?? undefined),
      tag('IsTruncated', isTruncated),
      tag('NextKeyMarker', isTruncated && last !== undefined ? encode(last.key) : undefined),
      tag('NextVersionIdMarker', isTruncated ? last?.versionId : undefined),
      ...page.map(({ key, versionId, isLatest, lastModified, object }) =>
        group(object === undefined ? 'DeleteMarker' : 'Version', [
          tag('Key', encode(key)),
          tag('VersionId', versionId),
          tag('IsLatest', isLatest),
          tag('LastModified', new Date(lastModified).toISOString()),
          tag('ETag', object && `"${object.etag}"`),
          tag('Size', object?.size),
          tag('StorageClass', object?.attributes.storageClass),
        ]),
      ),
    ]),
  };
}
