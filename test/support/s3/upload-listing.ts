import { compareKeys } from './keys.ts';
import { encoderOf, limitOf } from './listing.ts';
import { openUpload } from './multipart.ts';
import type { Bucket } from './store.ts';
import type { Answer, Target } from './types.ts';
import { group, tag, xmlDocument } from './xml.ts';

export function listParts(bucket: Bucket, target: Target): Answer {
  const upload = openUpload(bucket, target.key, target.query.get('uploadId') ?? '');
  const limit = limitOf(target.query, 'max-parts');
  const marker = Number(target.query.get('part-number-marker') ?? 0);
  const later = [...upload.parts.values()]
    .filter((part) => part.number > marker)
    .sort((a, b) => a.number - b.number);
  const shown = later.slice(0, limit);
  const truncated = later.length > shown.length;
  return {
    status: 200,
    body: xmlDocument('ListPartsResult', [
      tag('Bucket', target.bucket),
      tag('Key', target.key),
      tag('UploadId', upload.id),
      tag('StorageClass', upload.attributes.storageClass),
      tag('PartNumberMarker', marker),
      tag('NextPartNumberMarker', shown.at(-1)?.number ?? 0),
      tag('MaxParts', limit),
      tag('IsTruncated', truncated),
      tag('ChecksumAlgorithm', upload.algorithm),
      tag('ChecksumType', upload.type),
      ...shown.map((part) =>
        group('Part', [
          tag('PartNumber', part.number),
          tag('LastModified', new Date(part.lastModified).toISOString()),
          tag('ETag', `"${part.etag}"`),
          tag('Size', part.size),
          tag(`Checksum${part.checksum.algorithm}`, part.checksum.value),
        ]),
      ),
    ]),
  };
}

export function listMultipartUploads(bucket: Bucket, target: Target): Answer {
  const { query } = target;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = limitOf(query, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker');
  const encode = encoderOf(query);

  const after = (key: string, id: string) => {
    const order = compareKeys(key, keyMarker);
    return order > 0 || (order === 0 && idMarker !== null && compareKeys(id, idMarker) > 0);
  };
  const rows = new Map<string, { key: string; id: string; xml: string }>();
  for (const upload of [...bucket.uploads.values()].sort(
    (a, b) => compareKeys(a.key, b.key) || compareKeys(a.id, b.id),
  )) {
    if (!upload.key.startsWith(prefix)) continue;
    const cut = delimiter === '' ? -1 : upload.key.indexOf(delimiter, prefix.length);
    const common = cut === -1 ? undefined : upload.key.slice(0, cut + delimiter.length);
    if (!after(common ?? upload.key, upload.id)) continue;
    const xml =
      common === undefined
        ? group('Upload', [
            tag('Key', encode(upload.key)),
            tag('UploadId', upload.id),
            tag('StorageClass', upload.attributes.storageClass),
            tag('Initiated', new Date(upload.initiated).toISOString()),
            tag('ChecksumAlgorithm', upload.algorithm),
            tag('ChecksumType', upload.type),
          ])
        : group('CommonPrefixes', [tag('Prefix', encode(common))]);
    rows.set(common === undefined ? `upload ${upload.id}` : `prefix ${common}`, {
      key: common ?? upload.key,
      id: upload.id,
      xml,
    });
  }
  const shown = [...rows.values()].slice(0, limit);
  const truncated = rows.size > shown.length;
  return {
    status: 200,
    body: xmlDocument('ListMultipartUploadsResult', [
      tag('Bucket', target.bucket),
      tag('KeyMarker', encode(keyMarker)),
      tag('UploadIdMarker', idMarker ?? ''),
      tag('NextKeyMarker', truncated ? encode(shown.at(-1)?.key ?? '') : undefined),
      tag('NextUploadIdMarker', truncated ? shown.at(-1)?.id : undefined),
      tag('Prefix', encode(prefix)),
      tag('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
      tag('MaxUploads', limit),
      tag('EncodingType', query.get('encoding-type') ?? undefined),
      tag('IsTruncated', truncated),
      ...shown.map((row) => row.xml),
    ]),
  };
}
