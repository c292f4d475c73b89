import type { Readable } from 'node:stream';

export type ListedObject = { readonly key: string; readonly bytes: number };

/** What the store knows of an object without sending it. */
export type StoredHead = {
  readonly bytes: number;
  /** Base64 CRC-32 of the whole object; undefined where the store keeps none of that kind. */
  readonly crc32: string | undefined;
};

/**
 * The reading side of the bucket. It retries each request after transient errors for the configured
 * time, also in the middle of a body. An error that it throws is final.
 */
export type BackupStore = {
  /** The next key segments below a prefix that ends in a slash, in order. */
  readonly folders: (prefix: string) => Promise<readonly string[]>;
  readonly objects: (prefix: string) => AsyncIterable<ListedObject>;
  /** undefined where there is no such object. */
  readonly head: (key: string) => Promise<StoredHead | undefined>;
  /**
   * The content of a small object; undefined where there is none.
   * @throws Failure where it is larger than `mostBytes`.
   */
  readonly read: (key: string, mostBytes: number) => Promise<Buffer | undefined>;
  /**
   * An object's bytes from the first to the last. All of them are from one version, however often
   * the connection breaks.
   */
  readonly open: (key: string) => Readable;
  /** Ends what is under way; later requests fail at once. */
  readonly interrupt: (reason: Error) => void;
  readonly close: () => void;
};

/** There is no object of that key. */
export class ObjectMissing extends Error {
  constructor(key: string) {
    super(`there is no object ${key}`);
    this.name = 'ObjectMissing';
  }
}
