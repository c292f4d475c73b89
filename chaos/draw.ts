import { ODD_TABLE_NAMES } from '../test/support/mariadb/dataset-names.ts';
import { type Random, seededRandom } from '../test/support/mariadb/random.ts';
import { type FaultKind, KINDS, kindOf } from './kinds.ts';
import {
  dumpedBytesOf,
  type FaultPlan,
  type Moment,
  type Plan,
  type TablePlan,
  VICTIM,
} from './plan.ts';

const MIB = 1024 * 1024;
const MOST_FAULTS = 3;
/** The seconds that the upload takes without faults: long enough for a fault to meet it. */
const SPANS = [0.7, 1.3, 2, 2.7] as const;
/** Of the rows made here, by zstd or gzip. */
const COMPRESSED_SHARE = 0.55;
/** Long enough for every fault that ends, and for a few of them one after the other. */
const PATIENT_RETRY_SECONDS = 20;
const SHORT_RETRY_SECONDS = 2;
/** By when a run has usually got from its start to its first look at the bucket. */
const START_MILLISECONDS = 2500;
/** Of the manifest's request, which is held up so that something can happen meanwhile. */
export const MANIFEST_HOLD_MILLISECONDS = 300;

/** How often a fault waits for what; those it cannot wait for are left out. */
const MOMENT_WEIGHTS: Readonly<Record<Moment, number>> = {
  spawn: 2,
  started: 13,
  dumpFinished: 3,
  manifest: 3,
};

/** Draws one run. Pure: the same seed and number always give the same. */
export function drawPlan(seed: number, run: number): Plan {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b));
  const kinds = drawKinds(random);
  const inParts = kinds.some((kind) => kind.includes('completion')) || random.int(10) < 6;
  const compression = random.pick(
    inParts ? (['none', 'none', 'zstd'] as const) : (['none', 'zstd', 'gzip'] as const),
  );
  const tables = drawTables(random, inParts);
  const spanSeconds = random.pick(SPANS);
  const storedBytes = dumpedBytesOf({ tables }) * (compression === 'none' ? 1 : COMPRESSED_SHARE);
  const budgetMiB = random.pick(inParts ? [8, 10, 12, 16, 24] : [4, 6, 8, 12]);
  return {
    seed,
    run,
    tables,
    objects: random.int(3) === 0,
    budgetMiB,
    chunkMiB: inParts ? random.pick([32, 64]) : random.pick([1, 1, 2, 4]),
    partMiB: random.pick([5, 5, 6]),
    threads: random.pick(inParts ? [1, 1, 2, 2, 4] : [1, 2, 4]),
    uploadConcurrency: random.pick([1, 2, 4]),
    compression,
    retrySeconds: kinds.some((kind) => kindOf(kind).lasting)
      ? SHORT_RETRY_SECONDS
      : PATIENT_RETRY_SECONDS,
    bandwidthBytesPerSecond: Math.round(storedBytes / spanSeconds),
    smallDiskMiB: kinds.includes('disk-full') ? budgetMiB + 4 : undefined,
    faults: kinds.map((kind) => drawFault(random, kind, spanSeconds)),
  };
}

function drawKinds(random: Random): FaultKind[] {
  const count = 1 + random.int(MOST_FAULTS);
  const kinds = new Set<FaultKind>();
  while (kinds.size < count)
    kinds.add(weighted(random, Object.keys(KINDS) as FaultKind[], (kind) => kindOf(kind).weight));
  return [...kinds];
}

function drawFault(random: Random, kind: FaultKind, spanSeconds: number): FaultPlan {
  const moment = weighted(random, kindOf(kind).moments, (candidate) => MOMENT_WEIGHTS[candidate]);
  const longest: Readonly<Record<Moment, number>> = {
    spawn: START_MILLISECONDS,
    // What is rarely asked of S3 must be waited for from the start.
    started: /completion|manifest/.test(kind) ? 1 : spanSeconds * 900,
    dumpFinished: 300,
    manifest: MANIFEST_HOLD_MILLISECONDS + 50,
  };
  return {
    kind,
    moment,
    delayMilliseconds: random.int(Math.ceil(longest[moment])),
    milliseconds: 200 + random.int(1500),
    times: 1 + random.int(4),
    pick: random.int(1000),
  };
}

function drawTables(random: Random, inParts: boolean): TablePlan[] {
  const databases = random.int(4) === 0 ? ['shop', 'log'] : ['shop'];
  const table = (database: string, name: string): TablePlan => ({
    database,
    name,
    rows: random.pick([0, 1, 50, 500, 2000]),
    rowBytes: random.pick([60, 150, 400]),
    engine: random.int(12) === 0 ? 'MyISAM' : 'InnoDB',
  });
  const names = new Set<string>();
  for (let count = random.int(4); count > 0; count -= 1) names.add(random.pick(ODD_TABLE_NAMES));
  const largeMiB = inParts ? 11 + random.int(5) : 4 + random.int(6);
  const rowBytes = random.pick([500, 1000, 4000]);
  return [
    { ...table(VICTIM.database, VICTIM.name), engine: 'InnoDB' },
    ...[...names].map((name) => table('shop', name)),
    ...databases.map((database) => table(database, 'small')),
    {
      database: random.pick(databases),
      name: 'large',
      rows: Math.round((largeMiB * MIB) / rowBytes),
      rowBytes,
      engine: 'InnoDB',
    },
  ];
}

function weighted<T>(random: Random, values: readonly T[], weightOf: (value: T) => number): T {
  let left = random.int(values.reduce((sum, value) => sum + weightOf(value), 0));
  for (const value of values) {
    left -= weightOf(value);
    if (left < 0) return value;
  }
  throw new Error('nothing to draw from');
}
