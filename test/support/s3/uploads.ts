import { randomBytes } from 'node:crypto';
import { attributesFrom, encryptionHeaders } from './attributes.ts';
import { planBody, readDocument } from './body.ts';
import {
  algorithmNamed,
  algorithms,
  checksumHeader,
  checksumTypeFor,
  headerName,
} from './checksums.ts';
import { completeUpload, fingerprint, type ListedPart } from './completion.ts';
import { conditionOf, watchCondition } from './conditions.ts';
import { openUpload, receivePart } from './multipart.ts';
import type { StoredObject } from './records.ts';
import type { Bucket } from './store.ts';
import { type Answer, S3Error, type Target } from './types.ts';
import { childText, malformed, parseXml, tag, xmlDocument } from './xml.ts';

/** The number of parts an upload may have. */
const mostParts = 10_000;

export function createMultipartUpload(bucket: Bucket, target: Target): Answer {
  const { key, headers } = target;
  const named = headers['x-amz-checksum-algorithm'];
  const asked = headers['x-amz-checksum-type'];
  if (named === undefined && asked !== undefined)
    throw new S3Error(
      400,
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    );
  const algorithm = algorithmNamed(named ?? 'CRC64NVME');
  const type = checksumTypeFor(algorithm, asked);
  const attributes = attributesFrom(headers);
  // Beginning with the time, so that uploads of one key list in the order they were initiated.
  const id = `${Date.now().toString(36)}.${randomBytes(24).toString('base64url')}`;
  const declared = named !== undefined;
  bucket.createUpload({ id, key, initiated: Date.now(), attributes, algorithm, type, declared });
  return {
    status: 200,
    headers: {
      ...encryptionHeaders(attributes),
      'x-amz-checksum-algorithm': declared ? algorithm : undefined,
      'x-amz-checksum-type': declared ? type : undefined,
    },
    body: xmlDocument('InitiateMultipartUploadResult', [
      tag('Bucket', target.bucket),
      tag('Key', key),
      tag('UploadId', id),
    ]),
  };
}

export async function uploadPart(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  const number = Number(target.query.get('partNumber') ?? Number.NaN);
  if (!Number.isInteger(number) || number < 1 || number > mostParts)
    throw new S3Error(
      400,
      'InvalidArgument',
      `Part number must be an integer between 1 and ${mostParts}, inclusive`,
    );
  const upload = openUpload(bucket, target.key, target.query.get('uploadId') ?? '');
  const part = await receivePart(bucket, upload, number, planBody(target.headers), body);
  return {
    status: 200,
    headers: {
      etag: `"${part.etag}"`,
      [headerName(part.checksum.algorithm)]: part.checksum.value,
      ...encryptionHeaders(upload.attributes),
    },
  };
}

/**
 * CompleteMultipartUpload. Asked again with the same parts it answers the same again, as long as
 * the object is still the one this upload made; with If-None-Match it then answers 412, since the
 * key exists.
 */
export async function completeMultipartUpload(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  const { key, headers } = target;
  const uploadId = target.query.get('uploadId') ?? '';
  const completion = () => bucket.uploads.get(uploadId)?.completing;
  const condition = watchCondition(bucket, key, conditionOf(headers));
  try {
    // The checksum headers speak of the object, not of this document.
    const document = Object.fromEntries(
      Object.entries(headers).filter(([name]) => !name.startsWith('x-amz-checksum-')),
    );
    const listed = listedParts(await readDocument(document, body));
    for (let running = completion(); running !== undefined; running = completion())
      await running.catch(() => undefined);
    const made = bucket.get(key);
    if (made?.madeBy?.uploadId === uploadId && made.madeBy.parts === fingerprint(listed)) {
      condition.check();
      return completed(target, made);
    }

    const upload = openUpload(bucket, key, uploadId);
    const claims = {
      checksum: checksumHeader(headers),
      type: headers['x-amz-checksum-type'],
      size: headers['x-amz-mp-object-size'],
    };
    upload.completing = completeUpload(bucket, upload, listed, claims, condition.check);
    try {
      return completed(target, await upload.completing);
    } finally {
      upload.completing = undefined;
    }
  } finally {
    condition.stop();
  }
}

export async function abortMultipartUpload(bucket: Bucket, target: Target): Promise<Answer> {
  const upload = openUpload(bucket, target.key, target.query.get('uploadId') ?? '');
  await bucket.endUpload(upload.id);
  return { status: 204 };
}

function completed(target: Target, object: StoredObject): Answer {
  return {
    status: 200,
    headers: encryptionHeaders(object.attributes),
    body: xmlDocument('CompleteMultipartUploadResult', [
      tag(
        'Location',
        `http://${target.headers.host ?? ''}/${target.bucket}/${encodeURIComponent(target.key)}`,
      ),
      tag('Bucket', target.bucket),
      tag('Key', target.key),
      tag('ETag', `"${object.etag}"`),
      tag(`Checksum${object.checksum.algorithm}`, object.checksum.value),
      tag('ChecksumType', object.checksum.type),
    ]),
  };
}

function listedParts(document: string): ListedPart[] {
  const root = parseXml(document);
  const parts = root.children.filter((child) => child.name === 'Part');
  if (root.name !== 'CompleteMultipartUpload' || parts.length === 0 || parts.length > mostParts)
    throw malformed();
  return parts.map((part) => {
    const number = Number(childText(part, 'PartNumber') ?? Number.NaN);
    const etag = childText(part, 'ETag')?.replace(/^"|"$/g, '');
    if (!Number.isInteger(number) || etag === undefined) throw malformed();
    const checksums: Record<string, string> = {};
    for (const algorithm of algorithms) {
      const value = childText(part, `Checksum${algorithm}`);
      if (value !== undefined) checksums[algorithm] = value;
    }
    return { number, etag, checksums };
  });
}
