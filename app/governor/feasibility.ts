import type { Compression } from '../config.ts';
import { statementBytes, unfinishedFileBytes } from '../mydumper/statement-size.ts';
import type { Generation } from '../mydumper/version.ts';

const MIB = 1024 * 1024;
/**
 * S3 accepts no smaller parts, except the last one.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
const SMALLEST_PART_BYTES = 5 * MIB;
/**
 * Padding may fill up compressed parts. Shipping a growing file therefore frees disk from this size
 * on.
 */
export const LEAST_PRESSED_BYTES = 256 * 1024;

/** Of the usual file systems; a file takes whole blocks. */
const BLOCK_BYTES = 4096;
/** Our marker, the option file, `metadata`, and one to spare. */
const SMALL_FILES_BYTES = 4 * BLOCK_BYTES;

/** mydumper 1.x raises fewer threads to two by itself. */
const FEWEST_THREADS: Readonly<Record<Generation, number>> = { classic: 1, modern: 2 };

export type Sizes = {
  readonly threads: number;
  readonly chunkMiB: number;
  readonly partBytes: number;
};

export type Circumstances = {
  readonly budgetBytes: number;
  readonly generation: Generation;
  readonly compression: Compression;
  /** Files can be shipped while they grow. */
  readonly punching: boolean;
};

export type BudgetPlan = Sizes & {
  readonly statementBytes: number;
  /** Bytes that may land on disk after a stop signal: a statement of each thread. */
  readonly burstBytes: number;
  /** What was changed to make the budget work, a line each. */
  readonly notes: readonly string[];
};

/**
 * The smallest budget in which a dump cannot get stuck. Each thread may hold one file that cannot
 * be shipped yet, and write one more statement. A file can be shipped when mydumper has finished
 * it, or sooner if it can be shipped while it grows.
 */
export function smallestBudgetBytes(
  sizes: Sizes,
  circumstances: Circumstances,
  statement: number,
): number {
  const { generation, compression, punching } = circumstances;
  const finished = unfinishedFileBytes(generation, sizes.chunkMiB, statement);
  const growing = compression === 'none' ? sizes.partBytes : LEAST_PRESSED_BYTES;
  const held = punching ? Math.min(finished, growing + statement) : finished;
  return sizes.threads * held + burstOf(sizes.threads, statement);
}

function burstOf(threads: number, statement: number): number {
  return threads * (statement + BLOCK_BYTES) + SMALL_FILES_BYTES;
}

/**
 * Sizes that work with the budget, as near to the wanted ones as possible. Parts become smaller
 * first, then files. Then threads become fewer, but no fewer than mydumper accepts.
 * @returns undefined when nothing works.
 */
export function planBudget(wanted: Sizes, circumstances: Circumstances): BudgetPlan | undefined {
  const { budgetBytes, generation } = circumstances;
  const fewest = FEWEST_THREADS[generation];
  const most = Math.max(wanted.threads, fewest);
  const partBytes = Math.min(
    wanted.partBytes,
    Math.max(SMALLEST_PART_BYTES, Math.floor(budgetBytes / (4 * most))),
  );
  for (let threads = most; threads >= fewest; threads -= 1) {
    const statement = statementBytes(budgetBytes, threads);
    const works = (chunkMiB: number) =>
      smallestBudgetBytes({ threads, chunkMiB, partBytes }, circumstances, statement) <=
      budgetBytes;
    const chunkMiB = largest(wanted.chunkMiB, works);
    if (chunkMiB === undefined) continue;
    const sizes = { threads, chunkMiB, partBytes };
    return {
      ...sizes,
      statementBytes: statement,
      burstBytes: burstOf(threads, statement),
      notes: notesOn(wanted, sizes, budgetBytes),
    };
  }
  return undefined;
}

/** The smallest budget, in MiB, that works with some sizes not above the wanted ones. */
export function smallestWorkingBudgetMiB(
  wanted: Sizes,
  circumstances: Omit<Circumstances, 'budgetBytes'>,
): number {
  let budgetMiB = 1;
  while (planBudget(wanted, { ...circumstances, budgetBytes: budgetMiB * MIB }) === undefined)
    budgetMiB += 1;
  return budgetMiB;
}

/** Halving finds a size near enough to the largest that works. */
function largest(wanted: number, works: (value: number) => boolean): number | undefined {
  for (let value = wanted; value >= 1; value = Math.floor(value / 2))
    if (works(value)) return value;
  return undefined;
}

function notesOn(wanted: Sizes, sizes: Sizes, budgetBytes: number): string[] {
  const budget = `a staging budget of ${Math.floor(budgetBytes / MIB)} MiB`;
  const notes: string[] = [];
  if (sizes.chunkMiB < wanted.chunkMiB)
    notes.push(
      `CHUNK_FILE_SIZE_MB=${wanted.chunkMiB} is lowered to ${sizes.chunkMiB} for ${budget}`,
    );
  if (sizes.threads < wanted.threads)
    notes.push(`THREADS=${wanted.threads} is lowered to ${sizes.threads} for ${budget}`);
  if (sizes.threads > wanted.threads)
    notes.push(
      `THREADS=${wanted.threads} is raised to ${sizes.threads}: mydumper 1.x takes no fewer`,
    );
  return notes;
}
