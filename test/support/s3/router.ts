import type { IncomingMessage } from 'node:http';
import { type Headers, type Operation, S3Error, type Target } from './types.ts';

/** The query parameters that choose an operation or belong to it, beside `x-id` and `X-Amz-*`. */
const parameters: Record<Operation, readonly string[]> = {
  PutObject: [],
  GetObject: ['versionId'],
  HeadObject: ['versionId'],
  DeleteObject: [],
  DeleteObjects: ['delete'],
  ListObjectsV2: [
    'list-type',
    'prefix',
    'delimiter',
    'max-keys',
    'continuation-token',
    'start-after',
    'encoding-type',
    'fetch-owner',
  ],
  HeadBucket: [],
  CreateBucket: [],
  GetBucketLocation: ['location'],
  PutBucketVersioning: ['versioning'],
  ListObjectVersions: [
    'versions',
    'prefix',
    'key-marker',
    'version-id-marker',
    'max-keys',
    'encoding-type',
  ],
  CreateMultipartUpload: ['uploads'],
  UploadPart: ['partNumber', 'uploadId'],
  CompleteMultipartUpload: ['uploadId'],
  AbortMultipartUpload: ['uploadId'],
  ListParts: ['uploadId', 'max-parts', 'part-number-marker'],
  ListMultipartUploads: [
    'uploads',
    'prefix',
    'delimiter',
    'max-uploads',
    'key-marker',
    'upload-id-marker',
    'encoding-type',
  ],
};

/**
 * Names and values a request gives in its address and headers, before it is known to make sense.
 */
export type Address = Pick<Target, 'bucket' | 'key' | 'query' | 'headers'>;

/**
 * Splits a request's address, path-style or `bucket.host` for the buckets given; dots in the path
 * are kept as they are. Throws InvalidURI when it is not percent-encoded UTF-8.
 */
export function addressOf(request: IncomingMessage, buckets: Iterable<string>): Address {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = (mark === -1 ? url : url.slice(0, mark)).slice(1);
  const query = new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1));
  const headers = headersOf(request, query);
  const host = headers.host ?? '';
  for (const bucket of buckets) {
    if (host.startsWith(`${bucket}.`)) return { bucket, key: decoded(path), query, headers };
  }
  const slash = path.indexOf('/');
  const bucket = decoded(slash === -1 ? path : path.slice(0, slash));
  return { bucket, key: slash === -1 ? '' : decoded(path.slice(slash + 1)), query, headers };
}

/**
 * Which operation a request asks for. Throws NotImplemented for those outside the supported ones.
 */
export function operationOf(method: string, address: Address): Operation {
  const { key, query, headers } = address;
  const operation = address.bucket === '' ? undefined : choose(method, key !== '', query);
  const known = operation === undefined ? [] : parameters[operation];
  const strange = [...query.keys()].find(
    (name) => !known.includes(name) && name !== 'x-id' && !/^x-amz-/i.test(name),
  );
  const copies = method === 'PUT' && headers['x-amz-copy-source'] !== undefined;
  if (operation === undefined || strange !== undefined || copies)
    throw new S3Error(
      501,
      'NotImplemented',
      'A header or parameter you provided implies functionality that is not implemented' +
        (strange === undefined ? '' : `: ${strange}`),
    );
  return operation;
}

function choose(method: string, hasKey: boolean, query: URLSearchParams): Operation | undefined {
  switch (`${method} ${hasKey ? 'key' : 'bucket'}`) {
    case 'PUT key':
      return query.has('uploadId') || query.has('partNumber') ? 'UploadPart' : 'PutObject';
    case 'GET key':
      return query.has('uploadId') ? 'ListParts' : 'GetObject';
    case 'HEAD key':
      return 'HeadObject';
    case 'DELETE key':
      return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
    case 'POST key':
      if (query.has('uploads')) return 'CreateMultipartUpload';
      return query.has('uploadId') ? 'CompleteMultipartUpload' : undefined;
    case 'PUT bucket':
      return query.has('versioning') ? 'PutBucketVersioning' : 'CreateBucket';
    case 'HEAD bucket':
      return 'HeadBucket';
    case 'POST bucket':
      return query.has('delete') ? 'DeleteObjects' : undefined;
    case 'GET bucket':
      if (query.has('versions')) return 'ListObjectVersions';
      if (query.has('location')) return 'GetBucketLocation';
      if (query.has('uploads')) return 'ListMultipartUploads';
      return query.get('list-type') === '2' ? 'ListObjectsV2' : undefined;
    default:
      return undefined;
  }
}

/**
 * Throws AccessDenied for a request without a signature; which signature it is does not matter
 * here.
 */
export function checkSigned({ headers, query }: Address): void {
  const signed = headers.authorization?.startsWith('AWS4-') ?? query.has('X-Amz-Signature');
  if (!signed) throw accessDenied();
}

export function accessDenied(): S3Error {
  return new S3Error(403, 'AccessDenied', 'Access Denied');
}

/** A presigned address carries headers in its query; they count as headers. */
function headersOf(request: IncomingMessage, query: URLSearchParams): Headers {
  const headers: Record<string, string | undefined> = {};
  for (const [name, value] of query) if (/^x-amz-/i.test(name)) headers[name.toLowerCase()] = value;
  for (const [name, value] of Object.entries(request.headers))
    headers[name] = Array.isArray(value) ? value.join(',') : value;
  return headers;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new S3Error(400, 'InvalidURI', "Couldn't parse the specified URI.");
  }
}
