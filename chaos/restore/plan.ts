import type { Compression } from '../../app/config.ts';
import type { RestoreFaultKind } from './kinds.ts';

/**
 * The event that starts a fault's delay: the start of the process, its `started` event, the first
 * file with a mark in the server, the first commit in the middle of a file, the phase after the
 * rows.
 */
export type Moment = 'spawn' | 'started' | 'rows' | 'committed' | 'after';

export type RestoreFault = {
  readonly kind: RestoreFaultKind;
  /** The attempt at the restore that it strikes, counted from 0. */
  readonly attempt: number;
  readonly moment: Moment;
  readonly delayMilliseconds: number;
  /** How long it lasts, for those that end. */
  readonly milliseconds: number;
  /** How many requests or rounds it strikes, for those that are counted. */
  readonly times: number;
  /** Chooses among what it may strike: a connection, an object, a byte, a table. */
  readonly pick: number;
};

/** Groups of columns with values that are hard to load. */
export const GROUPS = ['numbers', 'strings', 'binaries', 'times', 'places', 'addresses'] as const;
export type Group = (typeof GROUPS)[number];

/** Without any key a doubled row shows. `counter`: AUTO_INCREMENT far above the rows. */
export type Key = 'primary' | 'counter' | 'none';

export type TableShape = {
  readonly database: string;
  readonly name: string;
  readonly engine: 'InnoDB' | 'MyISAM';
  readonly key: Key;
  readonly rows: number;
  /** undefined for values of a group of columns. */
  readonly rowBytes: number | undefined;
  readonly group: Group | undefined;
};

/** A database, and how it is backed up. Several runs restore the same backup. */
export type Shape = {
  readonly seed: number;
  readonly number: number;
  readonly tables: readonly TableShape[];
  /** Views, triggers, routines and an event beside the tables. */
  readonly objects: boolean;
  readonly compression: Compression;
  readonly chunkMiB: number;
  readonly threads: number;
};

/** One run: the backup, the settings and the faults. Plain data; seed and number decide all. */
export type RestorePlan = {
  readonly seed: number;
  readonly run: number;
  readonly shape: Shape;
  readonly threads: number;
  readonly transactionMiB: number;
  readonly check: boolean;
  readonly retrySeconds: number;
  /** How long the bodies take in an attempt with faults. */
  readonly spanSeconds: number;
  readonly faults: readonly RestoreFault[];
};

export function databasesIn({ tables }: Pick<Shape, 'tables'>): string[] {
  return [...new Set(tables.map(({ database }) => database))];
}
