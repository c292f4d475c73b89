import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLink } from './bandwidth.ts';
import { openBuckets } from './buckets.ts';
import { createExchange, type Exchange } from './exchange.ts';
import { createFaults, type Faults } from './faults.ts';
import { perform } from './operations.ts';
import type { StoredObject } from './records.ts';
import { accessDenied, addressOf, checkSigned, operationOf } from './router.ts';
import { type Answer, type Operation, type RequestRecord, S3Error, type Target } from './types.ts';

export type { Fault, FaultAction, FaultRule, Faults } from './faults.ts';
export type { StoredObject } from './records.ts';
export type { Operation, RequestRecord } from './types.ts';

export type S3ServerOptions = {
  /** Where buckets are kept; what an earlier server left there is served again. */
  readonly dir: string;
  /** Buckets to create unless they exist. */
  readonly buckets: readonly string[];
  /** Port on 127.0.0.1; a free one unless given. */
  readonly port?: number;
  /**
   * Bytes per second of all uploads together, and the same of all downloads; unlimited unless
   * given.
   */
  readonly bandwidthBytesPerSecond?: number;
  /** Operations answered 403 AccessDenied, as an IAM policy without them would be. */
  readonly deny?: readonly Operation[];
};

export type S3Server = {
  /** `http://127.0.0.1:<port>`; use path-style addresses. */
  readonly endpoint: string;
  readonly port: number;
  readonly faults: Faults;
  /** Changes the bandwidth, also for transfers under way; undefined lifts it. */
  setBandwidth(bytesPerSecond: number | undefined): void;
  /** Replaces the denied operations. */
  setDeny(operations: readonly Operation[]): void;
  /** Every request answered or cut so far, in the order of their answers. */
  readonly requests: readonly RequestRecord[];
  /** How many requests are being worked on right now. */
  inFlight(): number;
  /** The bucket's objects by key order. Rejects with NoSuchBucket. */
  objects(bucket: string): Promise<readonly StoredObject[]>;
  /** An object's whole content; for small ones. Rejects with NoSuchBucket or NoSuchKey. */
  readObject(bucket: string, key: string): Promise<Buffer>;
  /** The file holding an object's content, to be read only. Throws NoSuchBucket or NoSuchKey. */
  objectPath(bucket: string, key: string): string;
  /** Uploads begun and neither completed nor aborted. Rejects with NoSuchBucket. */
  multipartUploads(
    bucket: string,
  ): Promise<readonly { key: string; uploadId: string; parts: number }[]>;
  /** Stops, cutting open connections, and settles once no request is being worked on. */
  close(): Promise<void>;
};

/**
 * Starts an S3 server for tests: objects in files, bodies streamed, every checksum verified, faults
 * at will.
 *
 * Signatures must be present but are not verified. ETags say nothing about the content unless the
 * request carried a Content-MD5 (S3 documents them as opaque under SSE-KMS), which saves an MD5 of
 * every byte. Earlier versions are kept once PutBucketVersioning asks for it; a version cannot be
 * deleted.
 */
export async function startS3Server(options: S3ServerOptions): Promise<S3Server> {
  const buckets = openBuckets(options.dir, options.buckets);
  const faults = createFaults();
  const uplink = createLink(options.bandwidthBytesPerSecond);
  const downlink = createLink(options.bandwidthBytesPerSecond);
  const requests: RequestRecord[] = [];
  const closing = new AbortController();
  const working = new Set<Promise<void>>();
  let denied = new Set<Operation>(options.deny);

  function identify(request: IncomingMessage, exchange: Exchange): Target {
    const address = addressOf(request, buckets.names());
    Object.assign(exchange.record, { bucket: address.bucket, key: address.key });
    const operation = operationOf(request.method ?? '', address);
    const partNumber = address.query.get('partNumber');
    const ifNoneMatch = address.headers['if-none-match'];
    Object.assign(
      exchange.record,
      { operation },
      partNumber === null ? {} : { partNumber: Number(partNumber) },
      ifNoneMatch === undefined ? {} : { ifNoneMatch },
    );
    return { ...address, operation };
  }

  async function carryOut(target: Target, body: AsyncIterable<Buffer>): Promise<Answer> {
    const { operation, key } = target;
    checkSigned(target);
    if (Buffer.byteLength(key) > 1024)
      throw new S3Error(400, 'KeyTooLongError', 'Your key is too long');
    if (operation === 'CreateBucket') {
      if (denied.has(operation)) throw accessDenied();
      return buckets.create(target.bucket);
    }
    const bucket = buckets.get(target.bucket);
    // Who may not list is not told that a key is missing.
    const reads = operation === 'GetObject' || operation === 'HeadObject';
    const hidden = reads && denied.has('ListObjectsV2') && bucket.get(key) === undefined;
    if (denied.has(operation) || hidden) throw accessDenied();
    return perform(bucket, target, body);
  }

  async function serve(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ) {
    const exchange = createExchange({
      request,
      response,
      expectsContinue,
      uplink,
      downlink,
      closing: closing.signal,
      log: (record) => requests.push(record),
    });
    try {
      const target = identify(request, exchange);
      const fault = faults.strike(target);
      if (fault !== undefined) await exchange.before(fault);
      const asked = fault?.kind === 'ignore-condition' ? withoutCondition(target) : target;
      await exchange.answer(await carryOut(asked, exchange.body()), fault);
    } catch (error) {
      exchange.refuse(error);
    } finally {
      exchange.finish();
    }
  }

  function accept(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean) {
    const work = serve(request, response, expectsContinue).finally(() => working.delete(work));
    working.add(work);
  }

  // No time limits of the server's own: a throttled upload may take as long as it takes.
  const server = createServer(
    { requestTimeout: 0, keepAliveTimeout: 60_000 },
    (request, response) => accept(request, response, false),
  );
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
    accept(request, response, true),
  );
  server.listen(options.port ?? 0, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    buckets.close();
    throw error;
  }
  const { port } = server.address() as AddressInfo;

  function objectPath(bucketName: string, key: string): string {
    const bucket = buckets.get(bucketName);
    const object = bucket.get(key);
    if (object === undefined)
      throw new S3Error(404, 'NoSuchKey', `no object ${key} in ${bucketName}`);
    return bucket.pathOf(object.path);
  }

  let closed: Promise<void> | undefined;
  async function close(): Promise<void> {
    closing.abort();
    uplink.release();
    downlink.release();
    const stopped = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await Promise.allSettled([...working, stopped]);
    buckets.close();
  }

  return {
    endpoint: `http://127.0.0.1:${port}`,
    port,
    faults,
    setBandwidth(bytesPerSecond) {
      uplink.setRate(bytesPerSecond);
      downlink.setRate(bytesPerSecond);
    },
    setDeny(operations) {
      denied = new Set(operations);
    },
    requests,
    inFlight: () => working.size,
    async objects(name) {
      const bucket = buckets.get(name);
      return bucket.keys().flatMap((key) => bucket.get(key) ?? []);
    },
    readObject: async (bucket, key) => readFile(objectPath(bucket, key)),
    objectPath,
    async multipartUploads(name) {
      return [...buckets.get(name).uploads.values()].map((upload) => ({
        key: upload.key,
        uploadId: upload.id,
        parts: upload.parts.size,
      }));
    },
    close() {
      closed ??= close();
      return closed;
    },
  };
}

function withoutCondition(target: Target): Target {
  return { ...target, headers: { ...target.headers, 'if-none-match': undefined } };
}
