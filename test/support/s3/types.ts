/** The S3 operations this server answers; everything else gets 501 NotImplemented. */
export const operations = [
  'PutObject',
  'GetObject',
  'HeadObject',
  'DeleteObject',
  'DeleteObjects',
  'ListObjectsV2',
  'HeadBucket',
  'CreateBucket',
  'GetBucketLocation',
  'PutBucketVersioning',
  'ListObjectVersions',
  'CreateMultipartUpload',
  'UploadPart',
  'CompleteMultipartUpload',
  'AbortMultipartUpload',
  'ListParts',
  'ListMultipartUploads',
] as const;

export type Operation = (typeof operations)[number];

/** Request headers by lower-case name, repeated ones joined. */
export type Headers = Readonly<Record<string, string | undefined>>;

/**
 * One request as the server saw it, logged just before its answer leaves (or when the connection is
 * cut).
 */
export type RequestRecord = {
  /** `Unknown` for a request outside the supported operations. */
  readonly operation: Operation | 'Unknown';
  readonly bucket: string;
  readonly key: string;
  /** HTTP status answered; 0 when the connection ended without an answer. */
  readonly status: number;
  /** S3 error code answered, if any. */
  readonly code?: string;
  /** When the request's headers had arrived, in milliseconds since the epoch. */
  readonly at: number;
  readonly partNumber?: number;
  /** The header If-None-Match, where there was one. */
  readonly ifNoneMatch?: string;
  /**
   * Body bytes read from the client as they were on the wire, or for GetObject the bytes sent to it
   * so far.
   */
  readonly bytes: number;
};

/** A request whose target is known. `key` is empty for bucket operations. */
export type Target = {
  readonly operation: Operation;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Headers;
};

/** What an operation answers with, before faults tamper with it. */
export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** An XML document, or a stretch of an already opened file which the sender closes. */
  readonly body?:
    | string
    | { readonly descriptor: number; readonly start: number; readonly length: number };
};

/**
 * An error S3 would answer: `code` and `message` go into the error document, `status` is the HTTP
 * status.
 */
export class S3Error extends Error {
  readonly code: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.name = 'S3Error';
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}
