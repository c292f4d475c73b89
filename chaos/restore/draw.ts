import { ODD_TABLE_NAMES } from '../../test/support/mariadb/dataset-names.ts';
import { type Random, seededRandom } from '../../test/support/mariadb/random.ts';
import { RESTORE_KINDS, type RestoreFaultKind, restoreKindOf } from './kinds.ts';
import {
  GROUPS,
  type Moment,
  type RestoreFault,
  type RestorePlan,
  type Shape,
  type TableShape,
} from './plan.ts';

const MIB = 1024 * 1024;
/** Backups of one seed. Making one takes as long as a run. */
export const SHAPES = 6;
const MOST_FAULTS = 4;
const SPANS = [0.5, 1, 1.5, 2] as const;
/** Long enough for every fault that ends, and for a few of them one after the other. */
const PATIENT_RETRY_SECONDS = 25;
const SHORT_RETRY_SECONDS = 2;
const START_MILLISECONDS = 2500;
const MOMENT_WEIGHTS: Readonly<Record<Moment, number>> = {
  spawn: 2,
  started: 4,
  rows: 8,
  committed: 5,
  after: 2,
};

/** Draws one run. Pure: the same seed and number always give the same. */
export function drawRestorePlan(seed: number, run: number): RestorePlan {
  const random = randomOf(seed, run + 1);
  const shape = drawShape(seed, random.int(SHAPES));
  const kinds = drawKinds(random);
  const spanSeconds = random.pick(SPANS);
  return {
    seed,
    run,
    shape,
    threads: 1 + random.int(6),
    transactionMiB: random.pick([1, 1, 1, 2, 4, 16]),
    check: random.int(3) === 0,
    retrySeconds: kinds.some((kind) => restoreKindOf(kind).lasting)
      ? SHORT_RETRY_SECONDS
      : PATIENT_RETRY_SECONDS,
    spanSeconds,
    faults: ambushed(
      random,
      kinds.map((kind, index) => drawFault(random, kind, index, spanSeconds)),
    ),
  };
}

/**
 * Half of the runs with a wrong object end an attempt after rows of it may have been committed and
 * before its end, where the fault would have been seen.
 */
function ambushed(random: Random, faults: readonly RestoreFault[]): readonly RestoreFault[] {
  const wrong = faults.find(({ kind }) => restoreKindOf(kind).wrongObject);
  if (wrong === undefined || random.int(2) === 0) return faults;
  const kind = random.pick(['us-kill', 'us-term', 'db-kill-all', 'db-crash'] as const);
  const others = faults.filter((fault) => fault !== wrong && fault.kind !== kind);
  // The largest object with rows, in its beginning.
  const pick = wrong.pick - (wrong.pick % 4) + 2;
  const cut = { ...wrong, kind, moment: 'committed', delayMilliseconds: random.int(60) } as const;
  return [
    { ...wrong, attempt: 0, moment: 'spawn', delayMilliseconds: 0, pick },
    { ...cut, attempt: 0 },
    ...others.slice(0, MOST_FAULTS - 2),
  ];
}

function randomOf(seed: number, number: number): Random {
  return seededRandom(Math.imul(seed + 77, 0x9e3779b1) ^ Math.imul(number, 0x85ebca6b));
}

/** Database and backup number `number` of a seed. Pure. */
export function drawShape(seed: number, number: number): Shape {
  const random = randomOf(seed, -1 - number);
  const table = (name: string, changes: Partial<TableShape>): TableShape => ({
    database: 'shop',
    name,
    engine: random.int(4) === 0 ? 'MyISAM' : 'InnoDB',
    key: random.pick(['primary', 'counter', 'none', 'none']),
    rows: random.pick([0, 1, 50, 400]),
    rowBytes: random.pick([60, 150, 400]),
    group: undefined,
    ...changes,
  });
  const rowBytes = random.pick([150, 500, 4000]);
  const names = new Set<string>();
  for (let count = random.int(4); count > 0; count -= 1) names.add(random.pick(ODD_TABLE_NAMES));
  const groups = new Set([random.pick(GROUPS), random.pick(GROUPS)]);
  const database = random.pick(['shop', 'log']);
  return {
    seed,
    number,
    tables: [
      table('large', {
        engine: 'InnoDB',
        rows: Math.round(((3 + random.int(5)) * MIB) / rowBytes),
        rowBytes,
      }),
      table('second', { database, rows: Math.round(MIB / 200), rowBytes: 200 }),
      ...[...groups].map((group) =>
        table(`of ${group}`, { database, rows: 20 + random.int(100), rowBytes: undefined, group }),
      ),
      ...[...names].map((name) => table(name, {})),
    ],
    objects: random.int(4) !== 0,
    compression: random.pick(['none', 'none', 'gzip', 'zstd']),
    chunkMiB: random.pick([1, 2, 64, 64]),
    threads: random.pick([1, 2, 4]),
  };
}

function drawKinds(random: Random): RestoreFaultKind[] {
  const all = Object.keys(RESTORE_KINDS) as RestoreFaultKind[];
  const kinds = new Set<RestoreFaultKind>();
  const count = 1 + random.int(MOST_FAULTS);
  while (kinds.size < count) kinds.add(weighted(random, all, (kind) => restoreKindOf(kind).weight));
  return [...kinds];
}

function drawFault(
  random: Random,
  kind: RestoreFaultKind,
  index: number,
  spanSeconds: number,
): RestoreFault {
  const moment = weighted(random, restoreKindOf(kind).moments, (each) => MOMENT_WEIGHTS[each]);
  const longest: Readonly<Record<Moment, number>> = {
    spawn: START_MILLISECONDS,
    started: spanSeconds * 900,
    rows: spanSeconds * 700,
    committed: spanSeconds * 300,
    after: 120,
  };
  return {
    kind,
    // A restore that resumes is struck too. One fault always meets the first attempt.
    attempt: index > 0 && random.int(4) === 0 ? 1 : 0,
    moment,
    // An object is more often wrong from the start than from some moment.
    delayMilliseconds:
      restoreKindOf(kind).wrongObject && moment === 'spawn'
        ? 0
        : random.int(Math.ceil(longest[moment])),
    milliseconds: 200 + random.int(1500),
    times: 1 + random.int(4),
    pick: random.int(1_000_000),
  };
}

function weighted<T>(random: Random, values: readonly T[], weightOf: (value: T) => number): T {
  let left = random.int(values.reduce((sum, value) => sum + weightOf(value), 0));
  for (const value of values) {
    left -= weightOf(value);
    if (left < 0) return value;
  }
  throw new Error('nothing to draw from');
}
