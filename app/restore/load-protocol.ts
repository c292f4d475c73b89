import type { Compression, ServerConfig, StoreConfig } from '../config.ts';
import type { FailureKind } from '../errors.ts';
import type { ManifestFile } from '../manifest/schema.ts';

/** What a loading thread is started with. */
export type LoadStart = {
  readonly server: ServerConfig;
  readonly store: StoreConfig;
  readonly compression: Compression;
  /** The restore, as its marks name it. */
  readonly run: string;
  readonly transactionBytes: number;
  /** Connections that this thread loads over. */
  readonly lanes: number;
  /** One integer that the loading threads share: who holds much memory (`memory-turn.ts`). */
  readonly turn: SharedArrayBuffer;
};

/** One data file to load. */
export type LoadJob = {
  /** Of its mark. */
  readonly id: number;
  readonly file: ManifestFile;
  /** Names in the server. */
  readonly database: string;
  readonly table: string;
  /** A transaction that does not end leaves nothing of its rows. */
  readonly transactional: boolean;
  /** In the order of an INSERT that lists none. */
  readonly columns: readonly string[];
  readonly textColumns: readonly string[];
};

export type ToLoader =
  | { readonly kind: 'load'; readonly job: LoadJob }
  /** Ends what is under way. */
  | { readonly kind: 'stop' }
  /** No more jobs come. */
  | { readonly kind: 'end' };

export type FromLoader =
  /** A lane is free. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'loaded'; readonly id: number }
  /** Bytes of the dump that were read and sent, or were in the server already. */
  | { readonly kind: 'progress'; readonly bytes: number }
  | { readonly kind: 'warning'; readonly message: string }
  | {
      readonly kind: 'retried';
      readonly operation: string;
      readonly key: string;
      readonly reason: string;
    }
  /** `spoiled`: the table must be emptied, since its rows are from content that is not trusted. */
  | {
      readonly kind: 'failed';
      readonly id: number | undefined;
      readonly failure: FailureKind;
      readonly lines: readonly string[];
      readonly spoiled: boolean;
    };
