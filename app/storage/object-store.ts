import type { Readable } from 'node:stream';

/** What the store answered to the write itself, after it was compared with what was sent. */
export type StoredObject = {
  readonly key: string;
  readonly bytes: number;
  /** Base64 CRC-32 over the whole object, as the store reported it and as we computed it. */
  readonly crc32: string;
};

export type UploadOptions = {
  /** Of a multipart upload; the store's own unless given. */
  readonly partBytes?: number;
  /** Receives the number of first bytes that the store has acknowledged, at each change. */
  readonly onAcknowledged?: (bytes: number) => void;
  /** Receives each piece of the body that the store does not need any more. */
  readonly onTaken?: (piece: Buffer) => void;
  /**
   * Hex SHA-256 of the whole body, where the caller computes it anyway. The store asks for it at
   * most once, after the body has ended.
   */
  readonly sha256?: () => Promise<string>;
};

/**
 * The store for backups. It retries each write after transient errors for the configured time. An
 * error that it throws is final. It only adds: it never reads, lists or deletes, so a role that can
 * only put is enough. Each write requires that the key does not exist (`If-None-Match: *`).
 */
export type ObjectStore = {
  /**
   * Proves that keys below `key` can be written, and leaves no object.
   * @throws Failure `preflight` naming the bucket.
   */
  readonly probe: (key: string) => Promise<void>;
  /**
   * Writes a stream of unknown length into a claimed folder. Resolves only when the store has
   * acknowledged every byte with a matching checksum. Otherwise it aborts the multipart upload
   * first.
   * @throws Failure `upload` naming the key.
   */
  readonly upload: (
    key: string,
    body: Readable,
    contentType: string,
    options?: UploadOptions,
  ) => Promise<StoredObject>;
  /**
   * Writes a small object that no other run may have written, and makes its folder this run's
   * alone. It writes the object a second time: a store that accepts this does no conditional
   * writes.
   * @returns undefined where the key exists. An own attempt whose answer was lost may have written
   *   it.
   * @throws Failure `preflight` naming the feature that the store does not have.
   */
  readonly claim: (key: string, body: Uint8Array) => Promise<StoredObject | undefined>;
  /**
   * Writes a small object into a claimed folder.
   * @throws Failure `upload` naming the key.
   */
  readonly create: (key: string, body: Uint8Array, contentType: string) => Promise<StoredObject>;
  /**
   * Ends all current work: it cuts bodies in flight and ends backoffs. It still aborts multipart
   * uploads. Later writes fail at once.
   */
  readonly interrupt: (reason: Error) => void;
  /** Releases sockets. */
  readonly close: () => void;
};

/** Receives every attempt that will be retried. */
export type RetryListener = (retry: { operation: string; key: string; reason: string }) => void;
