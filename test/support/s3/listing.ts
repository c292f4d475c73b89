import { firstIndex, urlEncoded } from './keys.ts';
import type { Bucket } from './store.ts';
import { type Answer, S3Error, type Target } from './types.ts';
import { group, tag, xmlDocument } from './xml.ts';

/**
 * Where a listing goes on: after this key, or after everything under it when it was a common
 * prefix.
 */
type Place = { readonly after: string; readonly isPrefix: boolean };

export function listObjects(bucket: Bucket, target: Target): Answer {
  const { query } = target;
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = limitOf(query, 'max-keys');
  const token = query.get('continuation-token');
  const startAfter = query.get('start-after');
  const encode = encoderOf(query);

  const keys = bucket.keys();
  const place = token === null ? { after: startAfter ?? '', isPrefix: false } : readToken(token);
  const contents: string[] = [];
  const prefixes: string[] = [];
  let last: Place | undefined;
  let index = Math.max(firstIndex(keys, prefix), firstIndex(keys, place.after, !place.isPrefix));
  while (place.isPrefix && keys[index]?.startsWith(place.after)) index += 1;
  let truncated = false;
  for (let key = keys[index]; key?.startsWith(prefix) && limit > 0; key = keys[index]) {
    if (contents.length + prefixes.length === limit) {
      truncated = true;
      break;
    }
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut !== -1) {
      const common = key.slice(0, cut + delimiter.length);
      prefixes.push(common);
      last = { after: common, isPrefix: true };
      while (keys[index]?.startsWith(common)) index += 1;
    } else {
      contents.push(entry(bucket, key, encode));
      last = { after: key, isPrefix: false };
      index += 1;
    }
  }
  return {
    status: 200,
    body: xmlDocument('ListBucketResult', [
      tag('Name', target.bucket),
      tag('Prefix', encode(prefix)),
      tag('Delimiter', delimiter === '' ? undefined : encode(delimiter)),
      tag('StartAfter', startAfter === null ? undefined : encode(startAfter)),
      tag('ContinuationToken', token ?? undefined),
      tag('NextContinuationToken', truncated && last !== undefined ? writeToken(last) : undefined),
      tag('KeyCount', contents.length + prefixes.length),
      tag('MaxKeys', limit),
      tag('EncodingType', query.get('encoding-type') ?? undefined),
      tag('IsTruncated', truncated),
      ...contents,
      ...prefixes.map((common) => group('CommonPrefixes', [tag('Prefix', encode(common))])),
    ]),
  };
}

function entry(bucket: Bucket, key: string, encode: (text: string) => string): string {
  const object = bucket.get(key);
  if (object === undefined) return '';
  return group('Contents', [
    tag('Key', encode(key)),
    tag('LastModified', new Date(object.lastModified).toISOString()),
    tag('ETag', `"${object.etag}"`),
    tag('ChecksumAlgorithm', object.checksum.algorithm),
    tag('ChecksumType', object.checksum.type),
    tag('Size', object.size),
    tag('StorageClass', object.attributes.storageClass),
  ]);
}

/** How keys are written into a listing. Throws InvalidArgument for an encoding other than `url`. */
export function encoderOf(query: URLSearchParams): (text: string) => string {
  const encoding = query.get('encoding-type');
  if (encoding !== null && encoding !== 'url')
    throw invalid('Invalid Encoding Method specified in Request');
  return encoding === 'url' ? urlEncoded : (text) => text;
}

/** A page size: at most 1000, which is also the default. Throws InvalidArgument. */
export function limitOf(query: URLSearchParams, name: string): number {
  const given = query.get(name);
  if (given === null) return 1000;
  if (!/^\d{1,10}$/.test(given))
    throw invalid(`Provided ${name} not an integer or within integer range`);
  return Math.min(1000, Number(given));
}

function writeToken(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

function readToken(token: string): Place {
  try {
    const place: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (
      typeof place === 'object' &&
      place !== null &&
      'after' in place &&
      typeof place.after === 'string' &&
      'isPrefix' in place
    )
      return { after: place.after, isPrefix: place.isPrefix === true };
  } catch {
    // Falls through to the error below.
  }
  throw invalid('The continuation token provided is incorrect');
}

function invalid(message: string): S3Error {
  return new S3Error(400, 'InvalidArgument', message);
}
