import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { StoreConfig } from '../config.ts';
import { guardChecksums } from './checksum-guard.ts';
import type { RetryListener } from './object-store.ts';
import { explain } from './refusals.ts';
import { type Limits, retryForSeconds } from './retry.ts';

/** A socket on which nothing moves for this long is given up, and the request sent again. */
const SOCKET_IDLE_MILLISECONDS = 60_000;
const CONNECT_MILLISECONDS = 10_000;
/** Connections for what is small, beside those for bodies. */
const SPARE_CONNECTIONS = 2;

/**
 * The longest time that S3 may take to answer a request, regardless of bytes that trickle in
 * meanwhile. Completing an upload of many parts takes minutes.
 */
const ANSWER_SECONDS = { few: 60, many: 600 } as const;
/** A body that moves more slowly is better sent again, by another way. */
const LEAST_BYTES_PER_SECOND = 8 * 1024;

/** At once; smaller pieces were not faster. */
const ENCRYPTED_BYTES = 1024 * 1024;

const CUTTABLE: ReadonlySet<string> = new Set(['PUT', 'GET', 'HEAD']);

type RequestHandler = Pick<
  NodeHttpHandler,
  'handle' | 'destroy' | 'metadata' | 'updateHttpClientConfig' | 'httpHandlerConfigs'
>;

/** `bodies` are sent or received at once. */
export function createClient(
  config: StoreConfig,
  bodies: number,
  limits: Limits,
  onRetry: RetryListener,
  known: KnownSha256 = new WeakMap(),
): S3Client {
  const requests = new WeakMap<object, { operation: string; key: string }>();
  const client = new S3Client({
    region: config.region,
    forcePathStyle: config.forcePathStyle,
    // With it each body from 2 MiB on has its own connection and TLS handshake: the SDK reuses none
    // of them.
    expectContinueHeader: false,
    // The reader compares each whole body with the manifest. The SDK could compare only bodies
    // without an interruption.
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: cuttableHandler(bodies + SPARE_CONNECTIONS, limits.signal),
    retryStrategy: retryForSeconds(limits, (error) => {
      const request = error instanceof Error ? requests.get(error) : undefined;
      onRetry({
        operation: request?.operation ?? 'request',
        key: request?.key ?? '',
        reason: explain(error, config),
      });
    }),
  });
  guardChecksums(client);
  hashPayloadOnce(client, known);
  client.middlewareStack.add(
    (next, context) => async (args) => {
      try {
        return await next(args);
      } catch (error) {
        const operation = (context.commandName ?? 'request').replace(/Command$/, '');
        const key = (args.input as { Key?: string }).Key ?? '';
        if (error instanceof Error) requests.set(error, { operation, key });
        throw error;
      }
    },
    { step: 'finalizeRequest', name: 'nameRequest', priority: 'low' },
  );
  return client;
}

/**
 * The longest time until a request's answer begins. Two limits bound the body of an answer: its
 * longest silence, and its reader.
 */
function longestSeconds({ method, headers }: Parameters<RequestHandler['handle']>[0]): number {
  const bytes = Number(headers['content-length'] ?? headers['x-amz-decoded-content-length'] ?? 0);
  return (
    (method === 'POST' ? ANSWER_SECONDS.many : ANSWER_SECONDS.few) + bytes / LEAST_BYTES_PER_SECOND
  );
}

/** Hex SHA-256 of bodies that the caller hashes anyway. */
export type KnownSha256 = Pick<WeakMap<object, () => Promise<string>>, 'get'>;

/**
 * Avoids a second SHA-256 of each body for the signature: it would cost half of shipping without
 * compression. Over TLS the signature omits it. TLS protects the body on its way, and the signature
 * covers the body's CRC-32. The AWS CLI does the same. Without TLS the signature uses the
 * manifest's hash of the body where that is known.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
function hashPayloadOnce(client: S3Client, known: KnownSha256): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const request = args.request as {
        protocol?: string;
        body?: unknown;
        headers: Record<string, string>;
      };
      if (request.body instanceof Uint8Array) {
        const sha256 =
          request.protocol === 'https:' ? 'UNSIGNED-PAYLOAD' : await known.get(request.body)?.();
        if (sha256 !== undefined) request.headers['x-amz-content-sha256'] = sha256;
      }
      return next(args);
    },
    { step: 'build', name: 'hashPayloadOnce', priority: 'low' },
  );
}

/**
 * A handler that cuts writes of bodies (PUT) and reads when `signal` aborts. It lets through
 * requests that create, complete and abort uploads (POST, DELETE). Cutting one of those could leave
 * an unknown upload behind.
 */
function cuttableHandler(maxSockets: number, signal: AbortSignal): RequestHandler {
  const agent = { keepAlive: true, maxSockets };
  const inner = new NodeHttpHandler({
    connectionTimeout: CONNECT_MILLISECONDS,
    socketTimeout: SOCKET_IDLE_MILLISECONDS,
    httpAgent: agent,
    httpsAgent: agent,
  });
  return {
    handle: async (request, options) => {
      const seconds = longestSeconds(request);
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), seconds * 1000);
      const abortSignal = CUTTABLE.has(request.method)
        ? AbortSignal.any([signal, late.signal])
        : late.signal;
      try {
        return await inner.handle(inPieces(request), { ...options, abortSignal });
      } catch (error) {
        if (signal.aborted || !late.signal.aborted) throw error;
        throw Object.assign(new Error(`no answer within ${Math.round(seconds)} s`), {
          name: 'TimeoutError',
        });
      } finally {
        clearTimeout(timer);
      }
    },
    destroy: () => inner.destroy(),
    metadata: inner.metadata,
    updateHttpClientConfig: (key, value) => inner.updateHttpClientConfig(key, value),
    httpHandlerConfigs: () => inner.httpHandlerConfigs(),
  };
}

/**
 * A body that is encrypted in one go is in memory twice until it is sent. It also blocks all other
 * work meanwhile.
 */
function inPieces(request: Parameters<RequestHandler['handle']>[0]): typeof request {
  const { body, protocol } = request;
  if (protocol !== 'https:' || !(body instanceof Uint8Array) || body.byteLength <= ENCRYPTED_BYTES)
    return request;
  const pieces = Readable.from(piecesOf(body), {
    objectMode: false,
    highWaterMark: ENCRYPTED_BYTES,
  });
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, { body: pieces });
}

function* piecesOf(body: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < body.byteLength; at += ENCRYPTED_BYTES)
    yield body.subarray(at, at + ENCRYPTED_BYTES);
}
