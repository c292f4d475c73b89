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
  /** Told how many of the first bytes the store has acknowledged, each time these become more. */
  readonly onAcknowledged?: (bytes: number) => void;
  /** Told of each piece of the body that the store does not need any more. */
  readonly onTaken?: (piece: Buffer) => void;
  /**
   * Hex SHA-256 of the whole body, where somebody has it anyway. Asked for once the body has ended,
   * if at all.
   */
  readonly sha256?: () => Promise<string>;
};

/**
 * Where backups go. Every write is retried through what is transient for the configured time; what
 * is thrown is final. The store is only added to: nothing here reads, lists or deletes, so a role
 * that can only put works. Every object is written under the condition that its key does not exist
 * (`If-None-Match: *`).
 */
export type ObjectStore = {
  /**
   * Shows that keys below `key` can be written, leaving nothing behind.
   * @throws Failure `preflight` naming the bucket.
   */
  readonly probe: (key: string) => Promise<void>;
  /**
   * Writes a stream of unknown length, into a folder that was claimed. Resolves only when the store
   * has acknowledged every byte with a matching checksum; otherwise the multipart upload is aborted
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
   * alone. Writes it a second time: a store that does not refuse that does no conditional writes.
   * @returns undefined where the key exists. It may be an own attempt's whose answer was lost.
   * @throws Failure `preflight` naming what the store lacks.
   */
  readonly claim: (key: string, body: Uint8Array) => Promise<StoredObject | undefined>;
  /**
   * Writes a small object, into a folder that was claimed.
   * @throws Failure `upload` naming the key.
   */
  readonly create: (key: string, body: Uint8Array, contentType: string) => Promise<StoredObject>;
  /**
   * Ends what is under way: bodies being sent are cut and backoffs end, multipart uploads are still
   * aborted. Later writes fail at once.
   */
  readonly interrupt: (reason: Error) => void;
  /** Releases sockets. */
  readonly close: () => void;
};

/** Told of every attempt that will be made again. */
export type RetryListener = (retry: { operation: string; key: string; reason: string }) => void;
