import { openSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { attributeHeaders, attributesFrom, encryptionHeaders } from './attributes.ts';
import { fileSink, planBody, readDocument, receiveBody } from './body.ts';
import { type Checksum, headerName } from './checksums.ts';
import { conditionOf, watchCondition } from './conditions.ts';
import { etagFor } from './multipart.ts';
import type { StoredObject } from './records.ts';
import type { Bucket } from './store.ts';
import { type Answer, S3Error, type Target } from './types.ts';
import { childText, group, malformed, parseXml, tag, xmlDocument } from './xml.ts';

export async function putObject(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  const plan = planBody(target.headers);
  const attributes = attributesFrom(target.headers);
  const condition = watchCondition(bucket, target.key, conditionOf(target.headers));
  const path = bucket.temporaryPath();
  try {
    condition.check();
    const handle = await open(path, 'wx');
    const sink = fileSink(handle);
    let received: Awaited<ReturnType<typeof receiveBody>>;
    try {
      received = await receiveBody(plan, body, sink.write);
      await sink.end();
    } finally {
      await sink.abandon();
      await handle.close();
    }
    condition.check();
    const { key } = target;
    const checksum: Checksum = { ...received.checksum, type: 'FULL_OBJECT' };
    const written = { key, size: plan.size, lastModified: Date.now(), checksum, attributes };
    const object = bucket.put({ ...written, etag: etagFor(received.md5) }, path);
    return {
      status: 200,
      headers: {
        etag: `"${object.etag}"`,
        'x-amz-version-id': object.versionId,
        ...checksumHeaders(checksum),
        ...encryptionHeaders(attributes),
      },
    };
  } finally {
    condition.stop();
    await rm(path, { force: true });
  }
}

/** GetObject, and HeadObject with `withBody` false. */
export function getObject(bucket: Bucket, target: Target, withBody: boolean): Answer {
  const object = requestedObject(bucket, target);
  const { headers } = target;
  const etag = `"${object.etag}"`;
  if (headers['if-match'] !== undefined && !etagMatches(headers['if-match'], object))
    throw new S3Error(
      412,
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
    );
  if (headers['if-none-match'] !== undefined && etagMatches(headers['if-none-match'], object))
    return { status: 304, headers: { etag } };

  const range = rangeOf(headers.range, object.size);
  const { start, length } = range ?? { start: 0, length: object.size };
  const showChecksum =
    headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED' && range === undefined;
  return {
    status: range === undefined ? 200 : 206,
    headers: {
      ...attributeHeaders(object.attributes),
      etag,
      'x-amz-version-id': object.versionId,
      'last-modified': new Date(object.lastModified).toUTCString(),
      'accept-ranges': 'bytes',
      'content-length': String(length),
      'content-range': range && `bytes ${start}-${start + length - 1}/${object.size}`,
      ...(showChecksum ? checksumHeaders(object.checksum) : {}),
    },
    // Opened here, in one turn with the look-up, so that a replacement meanwhile does not mix two
    // contents.
    ...(withBody
      ? { body: { descriptor: openSync(bucket.pathOf(object.path), 'r'), start, length } }
      : {}),
  };
}

/**
 * The object, or the version of it that is asked for. Throws NoSuchKey, NoSuchVersion or
 * MethodNotAllowed.
 */
function requestedObject(bucket: Bucket, { key, query }: Target): StoredObject {
  const versionId = query.get('versionId');
  if (versionId === null) {
    const object = bucket.get(key);
    if (object === undefined)
      throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    return object;
  }
  const version = bucket.version(key, versionId);
  if (version === undefined)
    throw new S3Error(404, 'NoSuchVersion', 'The specified version does not exist.');
  if (version.object === undefined)
    throw new S3Error(
      405,
      'MethodNotAllowed',
      'The specified method is not allowed against this resource.',
      {
        'x-amz-delete-marker': 'true',
      },
    );
  return version.object;
}

export async function deleteObjects(
  bucket: Bucket,
  target: Target,
  body: AsyncIterable<Buffer>,
): Promise<Answer> {
  const plan = planBody(target.headers);
  if (plan.md5 === undefined && plan.checksum === undefined)
    throw new S3Error(
      400,
      'InvalidRequest',
      'Missing required header for this request: Content-MD5',
    );
  const root = parseXml(await readDocument(target.headers, body));
  const keys = root.children
    .filter((child) => child.name === 'Object')
    .map((child) => childText(child, 'Key'));
  if (root.name !== 'Delete' || keys.length === 0 || keys.length > 1000) throw malformed();
  const quiet = childText(root, 'Quiet') === 'true';
  const deleted = keys.map((key) => {
    if (key === undefined || key === '') throw malformed();
    return key;
  });
  for (const key of deleted) bucket.remove(key);
  return {
    status: 200,
    body: xmlDocument(
      'DeleteResult',
      quiet ? [] : deleted.map((key) => group('Deleted', [tag('Key', key)])),
    ),
  };
}

/** A stored checksum as answer headers. */
export function checksumHeaders(checksum: Checksum): Record<string, string> {
  return { [headerName(checksum.algorithm)]: checksum.value, 'x-amz-checksum-type': checksum.type };
}

function etagMatches(condition: string, object: StoredObject): boolean {
  return condition.split(',').some((item) => {
    const etag = item.trim().replace(/^"|"$/g, '');
    return etag === '*' || etag === object.etag;
  });
}

/**
 * The one byte range asked for; undefined for the whole object, also when the header is not one S3
 * heeds.
 */
function rangeOf(
  header: string | undefined,
  size: number,
): { start: number; length: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (match === null) return undefined;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (first !== '' && last !== '' && Number(last) < start) return undefined;
  if (start > end)
    throw new S3Error(416, 'InvalidRange', 'The requested range is not satisfiable', {
      'content-range': `bytes */${size}`,
    });
  return { start, length: end - start + 1 };
}
