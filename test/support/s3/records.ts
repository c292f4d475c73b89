import type { Attributes } from './attributes.ts';
import type { Algorithm, Checksum, ChecksumType } from './checksums.ts';

/** A finished object. */
export type StoredObject = {
  readonly key: string;
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  /** Milliseconds since the epoch. */
  readonly lastModified: number;
  readonly checksum: Checksum;
  readonly attributes: Attributes;
  /** The file below the bucket's directory. */
  readonly path: string;
  /** Present when the bucket was versioned as it was written. */
  readonly versionId?: string;
  /**
   * Present when a multipart upload made it: which, and a fingerprint of the parts it was completed
   * with.
   */
  readonly madeBy?: { readonly uploadId: string; readonly parts: string };
};

export type Part = {
  readonly number: number;
  readonly size: number;
  readonly etag: string;
  readonly checksum: { readonly algorithm: Algorithm; readonly value: string };
  readonly lastModified: number;
  /** The file in the upload's directory and where in it the part begins. */
  readonly file: string;
  readonly offset: number;
};

export type Upload = {
  readonly id: string;
  readonly key: string;
  readonly initiated: number;
  readonly attributes: Attributes;
  readonly algorithm: Algorithm;
  readonly type: ChecksumType;
  /** Whether the creator named the algorithm; otherwise it is S3's default. */
  readonly declared: boolean;
};

export type OpenUpload = Upload & {
  readonly parts: Map<number, Part>;
  /**
   * Part numbers whose place in the assembly file is taken, and whether it is still being written.
   */
  readonly slots: Map<number, 'writing' | 'stored'>;
  slotSize: number | undefined;
  completing: Promise<StoredObject> | undefined;
};

/** A line of a bucket's journal. */
export type Entry =
  | { readonly op: 'put'; readonly object: StoredObject }
  /** With a version id a delete marker is left, and the object's content stays. */
  | {
      readonly op: 'delete';
      readonly key: string;
      readonly versionId?: string;
      readonly lastModified?: number;
    }
  | { readonly op: 'versioning' }
  | { readonly op: 'upload'; readonly upload: Upload }
  | {
      readonly op: 'part';
      readonly uploadId: string;
      readonly part: Part;
      readonly slotSize: number | undefined;
    }
  | { readonly op: 'end'; readonly uploadId: string };
