import { planBudget } from '../app/governor/feasibility.ts';
import { EXTRA_PARTS } from '../app/storage/part-memory.ts';
import type { SourceSettings } from './config-source.ts';

const MIB = 1024 * 1024;
/** Ephemeral storage holds the image too, both as pulled and unpacked: less than 1 GiB in all. */
export const IMAGE_RESERVE_MIB = 3 * 1024;
/** The file system's own share, and what it keeps for root, of ephemeral storage. */
export const FILE_SYSTEM_SHARE = 0.1;
/** The program without parts, at its highest; and mydumper without threads. */
const PROGRAM_MIB = 320;
const MYDUMPER_MIB = 64;
/** A statement being built and a row being read, for each of mydumper's threads. */
const THREAD_MIB = 48;
/**
 * Share of a task's memory. The kernel's page cache, which counts against the task, gets the rest.
 */
const USABLE_SHARE = 0.8;
const CPU_UNITS_OF_A_CORE = 1024;
const FEWEST_UPLOADS = 2;
const MOST_UPLOADS = 16;
/**
 * One core compresses and sends about as much as four uploads carry at S3's usual rate for one
 * connection.
 */
const UPLOADS_OF_A_CORE = 4;
/** Largest first. S3 takes 10,000 parts: 16 MiB carry a file of 156 GiB, 5 MiB one of 48 GiB. */
const PART_SIZES_MIB = [16, 8, 5] as const;

/** https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html */
const MEMORY_OF_CPU: ReadonlyMap<
  number,
  { readonly from: number; readonly to: number; readonly step: number }
> = new Map([
  [256, { from: 512, to: 2048, step: 512 }],
  [512, { from: 1024, to: 4096, step: 1024 }],
  [1024, { from: 2048, to: 8192, step: 1024 }],
  [2048, { from: 4096, to: 16_384, step: 1024 }],
  [4096, { from: 8192, to: 30_720, step: 1024 }],
  [8192, { from: 16_384, to: 61_440, step: 4096 }],
  [16_384, { from: 32_768, to: 122_880, step: 8192 }],
]);

export type TaskSizes = Pick<
  SourceSettings,
  'cpu' | 'memoryMiB' | 'ephemeralStorageGiB' | 'threads' | 'chunkFileSizeMiB' | 'compression'
>;

/** The limits that the program gets, so that it stays within the task's resources. */
export type Limits = {
  readonly stagingLimitMiB: number;
  readonly partSizeMiB: number;
  readonly uploadConcurrency: number;
};

/** The staging budget: ephemeral storage without the image and the file system's own share. */
export function stagingLimitMiB(ephemeralStorageGiB: number): number {
  return Math.floor(ephemeralStorageGiB * 1024 * (1 - FILE_SYSTEM_SHARE)) - IMAGE_RESERVE_MIB;
}

/** Memory that the program and mydumper take at the most. */
export function memoryNeedMiB(
  { threads }: Pick<TaskSizes, 'threads'>,
  { partSizeMiB, uploadConcurrency }: Pick<Limits, 'partSizeMiB' | 'uploadConcurrency'>,
): number {
  // Files that grow, one for each thread, are shipped beside the finished ones.
  const parts = uploadConcurrency + threads + EXTRA_PARTS;
  return PROGRAM_MIB + MYDUMPER_MIB + threads * THREAD_MIB + parts * partSizeMiB;
}

/**
 * The most uploads that the processors feed and the memory holds, with the largest parts. Undefined
 * where not even two small ones fit.
 */
export function deriveLimits(sizes: TaskSizes): Limits | undefined {
  const wanted = Math.ceil((sizes.cpu / CPU_UNITS_OF_A_CORE) * UPLOADS_OF_A_CORE);
  const most = Math.min(MOST_UPLOADS, Math.max(FEWEST_UPLOADS, wanted));
  for (let uploadConcurrency = most; uploadConcurrency >= FEWEST_UPLOADS; uploadConcurrency -= 1) {
    for (const partSizeMiB of PART_SIZES_MIB) {
      const need = memoryNeedMiB(sizes, { partSizeMiB, uploadConcurrency });
      if (need <= sizes.memoryMiB * USABLE_SHARE)
        return {
          stagingLimitMiB: stagingLimitMiB(sizes.ephemeralStorageGiB),
          partSizeMiB,
          uploadConcurrency,
        };
    }
  }
  return undefined;
}

/** What does not go together, each beginning with the name of what to change. */
export function mistakesInSizes(sizes: TaskSizes): string[] {
  const range = MEMORY_OF_CPU.get(sizes.cpu);
  if (range === undefined)
    return [`cpu: ${sizes.cpu} is not one of Fargate's: ${[...MEMORY_OF_CPU.keys()].join(', ')}`];
  if (
    sizes.memoryMiB < range.from ||
    sizes.memoryMiB > range.to ||
    sizes.memoryMiB % range.step !== 0
  ) {
    return [
      `memoryMiB: with ${sizes.cpu} CPU units Fargate has ${range.from} to ${range.to} MiB ` +
        `in steps of ${range.step}, not ${sizes.memoryMiB}`,
    ];
  }
  const limits = deriveLimits(sizes);
  if (limits === undefined) {
    const need = Math.ceil(
      memoryNeedMiB(sizes, { partSizeMiB: 5, uploadConcurrency: FEWEST_UPLOADS }) / USABLE_SHARE,
    );
    return [
      `memoryMiB: ${sizes.memoryMiB} are too few for ${sizes.threads} threads; at least ` +
        `${need} are needed`,
    ];
  }
  return mistakesInBudget(sizes, limits);
}

/**
 * The program would lower sizes that do not fit its budget; here they are a mistake. They are
 * checked for both generations of mydumper on a file system that frees no parts of files, the most
 * demanding case.
 */
function mistakesInBudget(sizes: TaskSizes, limits: Limits): string[] {
  const { threads, chunkFileSizeMiB, compression } = sizes;
  const wanted = { threads, chunkMiB: chunkFileSizeMiB, partBytes: limits.partSizeMiB * MIB };
  for (const generation of ['modern', 'classic'] as const) {
    const circumstances = {
      budgetBytes: limits.stagingLimitMiB * MIB,
      generation,
      compression,
      punching: false,
    };
    const plan = planBudget(wanted, circumstances);
    if (plan?.threads === threads && plan.chunkMiB === chunkFileSizeMiB) continue;
    const fits =
      plan === undefined
        ? 'less of both'
        : `${plan.threads} threads with files of ${plan.chunkMiB} MiB`;
    return [
      `chunkFileSizeMiB: ${threads} threads with files of ${chunkFileSizeMiB} MiB do not fit ` +
        `into a staging budget of ${limits.stagingLimitMiB} MiB; ${fits} would`,
    ];
  }
  return [];
}
