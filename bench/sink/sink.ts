import type { IncomingMessage, ServerResponse } from 'node:http';
import { crc32 } from 'node:zlib';
import type { Link } from '../../test/support/s3/bandwidth.ts';
import { crcJoiner } from '../../test/support/s3/crc.ts';
import type { SinkReport } from './main.ts';

type Received = { readonly bytes: number; readonly crc: Buffer; readonly etag: string };
type Upload = { readonly withChecksum: boolean; readonly parts: Map<number, Received> };

const join = crcJoiner('CRC32');
const NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

/** The sink's answers. Bodies pass the link at its pace. */
export function createSink(link: Link) {
  const objects = new Map<
    string,
    Received & { readonly at: number; readonly meta: Record<string, string> }
  >();
  const uploads = new Map<string, Upload>();
  let storedBytes = 0;
  let requests = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests += 1;
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://sink');
    const [, bucket = '', ...rest] = pathname.split('/');
    const key = rest.join('/');
    const uploadId = searchParams.get('uploadId');
    const withChecksum = 'x-amz-checksum-crc32' in request.headers;
    if (request.method === 'PUT') {
      if (request.headers['x-amz-content-sha256']?.toString().startsWith('STREAMING-'))
        return send(response, 501, {}, '<Error><Code>NotImplemented</Code></Error>');
      const received = await take(request, link);
      if (request.headers['if-none-match'] === '*' && objects.has(key))
        return send(response, 412, {}, '<Error><Code>PreconditionFailed</Code></Error>');
      storedBytes += received.bytes;
      const headers: Record<string, string> = { etag: `"${received.etag}"` };
      if (withChecksum) headers['x-amz-checksum-crc32'] = received.crc.toString('base64');
      if (uploadId !== null)
        uploads.get(uploadId)?.parts.set(Number(searchParams.get('partNumber')), received);
      else if (key !== '') objects.set(key, { ...received, at: Date.now(), meta: metaOf(request) });
      return send(response, 200, headers);
    }
    await take(request, link);
    const place = `<Bucket>${bucket}</Bucket><Key>${key}</Key>`;
    if (request.method === 'POST' && searchParams.has('uploads')) {
      const id = `upload-${requests}`;
      const asked = request.headers['x-amz-checksum-algorithm'];
      uploads.set(id, { withChecksum: asked === 'CRC32', parts: new Map() });
      return send(
        response,
        200,
        asked === undefined ? {} : { 'x-amz-checksum-algorithm': String(asked) },
        `<InitiateMultipartUploadResult ${NAMESPACE}>${place}<UploadId>${id}</UploadId>` +
          '</InitiateMultipartUploadResult>',
      );
    }
    if (request.method === 'POST' && uploadId !== null) {
      const upload = uploads.get(uploadId);
      uploads.delete(uploadId);
      const whole = wholeOf([...(upload?.parts ?? [])]);
      objects.set(key, { ...whole, at: Date.now(), meta: {} });
      const checksum = upload?.withChecksum
        ? `<ChecksumCRC32>${whole.crc.toString('base64')}</ChecksumCRC32>` +
          '<ChecksumType>FULL_OBJECT</ChecksumType>'
        : '';
      return send(
        response,
        200,
        {},
        `<CompleteMultipartUploadResult ${NAMESPACE}>${place}` +
          `<ETag>"${whole.etag}"</ETag>${checksum}</CompleteMultipartUploadResult>`,
      );
    }
    if (request.method === 'DELETE') {
      if (uploadId !== null) uploads.delete(uploadId);
      return send(response, 204, {});
    }
    if (key === '') {
      const list =
        `<ListBucketResult ${NAMESPACE}><Name>${bucket}</Name><KeyCount>0</KeyCount>` +
        '<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>';
      return send(response, 200, {}, request.method === 'HEAD' ? undefined : list);
    }
    const object = objects.get(key);
    if (object === undefined) return send(response, 404, {});
    send(response, 200, {
      etag: `"${object.etag}"`,
      'content-length': String(object.bytes),
      'last-modified': new Date(object.at).toUTCString(),
      ...object.meta,
    });
  }

  return {
    serve: (request: IncomingMessage, response: ServerResponse): void => {
      answer(request, response).catch(() => response.destroy());
    },
    /** What came since the last time; all objects are forgotten. */
    takeReport: (): SinkReport => {
      const report = { storedBytes, requests };
      objects.clear();
      uploads.clear();
      storedBytes = 0;
      requests = 0;
      return report;
    },
  };
}

function take(request: IncomingMessage, link: Link): Promise<Received> {
  const { promise, resolve, reject } = Promise.withResolvers<Received>();
  let bytes = 0;
  let crc = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.byteLength;
    crc = crc32(chunk, crc);
    const wait = link.take(chunk.byteLength);
    if (wait === undefined) return;
    request.pause();
    void wait.then(() => request.resume());
  });
  request.on('error', reject);
  request.on('end', () => resolve({ bytes, crc: bigEndian(crc), etag: etagOf(request, crc) }));
  return promise;
}

/** A client that has sent an MD5 looks for it in the ETag; it is believed unseen. */
function etagOf(request: IncomingMessage, crc: number): string {
  const md5 = request.headers['content-md5'];
  return md5 === undefined
    ? `${crc.toString(16)}-1`
    : Buffer.from(String(md5), 'base64').toString('hex');
}

function wholeOf(parts: readonly (readonly [number, Received])[]): Received {
  let crc: Buffer = bigEndian(0);
  let bytes = 0;
  for (const [, part] of parts.toSorted(([left], [right]) => left - right)) {
    crc = join(crc, part.crc, part.bytes);
    bytes += part.bytes;
  }
  return { bytes, crc, etag: `${crc.toString('hex')}-${parts.length}` };
}

function metaOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith('x-amz-meta-') ? [[name, String(value)]] : [],
    ),
  );
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function send(
  response: ServerResponse,
  status: number,
  headers: Record<string, string>,
  body?: string,
): void {
  response.writeHead(status, {
    'x-amz-request-id': 'sink',
    ...(body === undefined ? {} : { 'content-type': 'application/xml' }),
    ...(body !== undefined || 'content-length' in headers || status === 204
      ? {}
      : { 'content-length': '0' }),
    ...headers,
  });
  response.end(body);
}
