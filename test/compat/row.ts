import type { World } from '../e2e/world.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import type { Tls } from './tls.ts';

/** The page's parts, in its order. */
export const PARTS = {
  backup: 'Backup',
  myloader: 'Plain myloader',
  restore: 'Restore',
} as const;
export type Part = keyof typeof PARTS;

/** The set-up of a row: a server to back up, an empty one of the same kind, S3 and CloudWatch. */
export type Pair = {
  readonly db: MariaDb;
  readonly copy: MariaDb;
  readonly world: World;
  /** Certificates that `db` uses. */
  readonly tls: Tls;
};

/** One promise, which a pair of mydumper and server keeps or breaks. */
export type Row = {
  /** Names the row in docs/compatibility/*.json. */
  readonly id: string;
  readonly part: Part;
  /** The promise; the page shows it. */
  readonly promise: string;
  /** The only vendor that has the feature; both when not given. */
  readonly only?: MariaDb['vendor'];
  /**
   * Proves the promise.
   *
   * @returns a note that the page shows beside "works", if any.
   * @throws Refused where the program refuses the backup before the dump, Warned where it warns of
   *   an incomplete backup, any other error where the promise is broken.
   */
  readonly run: (pair: Pair) => Promise<string | undefined>;
};

/** The program refused the backup before the dump, with a reason. */
export class Refused extends Error {
  constructor(reason: string) {
    super(reason);
    this.name = 'Refused';
  }
}

/** The backup is incomplete, and the run warned of it. */
export class Warned extends Error {
  constructor(warning: string) {
    super(warning);
    this.name = 'Warned';
  }
}

export type Outcome = {
  readonly result: 'works' | 'warned' | 'refused' | 'fails';
  /** The warning, the refusal, the failure, or a limit of a row that works. */
  readonly note?: string;
};

/** The page and the record keep this many characters of a message. */
const LONGEST_NOTE = 600;

/** Runs a row to its outcome. Never rejects. */
export async function outcomeOf(row: Row, pair: Pair): Promise<Outcome> {
  try {
    const note = await row.run(pair);
    return note === undefined ? { result: 'works' } : { result: 'works', note: neutral(note) };
  } catch (error) {
    const note = neutral(error instanceof Error ? error.message : String(error));
    if (error instanceof Refused) return { result: 'refused', note };
    return { result: error instanceof Warned ? 'warned' : 'fails', note };
  }
}

/** The text without the facts of one run: directories, ports, process ids, times. */
function neutral(text: string): string {
  const line = text
    .replace(/\/tmp\/[\w./-]*/g, '(directory)')
    .replace(/\b(127\.0\.0\.1|localhost):\d+/g, '$1')
    .replace(/\(my(dumper|loader):\d+\)/g, '(my$1)')
    .replace(/\d\d:\d\d:\d\d\.\d{3}: /g, '')
    .replace(/\b\d{8}T\d{6}Z\b/g, '(id)')
    .replace(/\b\d+\.\d+ s\b/g, '(some) s')
    .replace(/\s+/g, ' ')
    .trim();
  return line.length > LONGEST_NOTE ? `${line.slice(0, LONGEST_NOTE)}…` : line;
}
