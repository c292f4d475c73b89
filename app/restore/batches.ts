/** Bytes a page or block rounds up to, on all file systems that matter here. */
const BLOCK_BYTES = 4096;

/** What is known of a file before it is fetched. */
export type Sized = { readonly name: string; readonly dumpedBytes: number };

/**
 * Files that are staged together and loaded by one run of myloader, or one file that is cut because
 * it is larger than a batch.
 */
export type Batch<File extends Sized> =
  | { readonly kind: 'whole'; readonly files: readonly File[]; readonly bytes: number }
  | { readonly kind: 'cut'; readonly file: File };

/**
 * The disk of a staged file with the few statements added to it. A statement is about 64 KiB, or a
 * row.
 */
export function stagedBytes(dumpedBytes: number): number {
  return Math.ceil((dumpedBytes * 1.02 + 1024) / BLOCK_BYTES) * BLOCK_BYTES;
}

/**
 * Groups files in the given order. A batch takes as many as fit into `wantedBytes` of disk, or one
 * file of up to `batchBytes`. A larger file is cut, and so is a file with a loaded part
 * (`mustCut`). Pure.
 */
export function planBatches<File extends Sized>(
  files: readonly File[],
  { batchBytes, wantedBytes }: Pick<DiskPlan, 'batchBytes' | 'wantedBytes'>,
  mustCut: (file: File) => boolean = () => false,
): Batch<File>[] {
  const batches: Batch<File>[] = [];
  let open: File[] = [];
  let bytes = 0;
  const close = () => {
    if (open.length > 0) batches.push({ kind: 'whole', files: open, bytes });
    open = [];
    bytes = 0;
  };
  for (const file of files) {
    const size = stagedBytes(file.dumpedBytes);
    if (size > batchBytes || mustCut(file)) {
      close();
      batches.push({ kind: 'cut', file });
      continue;
    }
    if (bytes + size > wantedBytes) close();
    open.push(file);
    bytes += size;
  }
  close();
  return batches;
}

export type DiskPlan = {
  /** For files of dumps; the rest of the budget is for our own small files and directories. */
  readonly usableBytes: number;
  /**
   * This many loaders run side by side, each with its own batch. One more batch is fetched
   * meanwhile.
   */
  readonly loaders: number;
  /** No batch takes more. */
  readonly batchBytes: number;
  /** Batches of several files take no more. */
  readonly wantedBytes: number;
};

/** Marker, option file, two directories and the pages that a file system rounds up to. */
const OUR_OWN_BYTES = 64 * 1024;
/** The rest stays free for statements that end later than hoped for. */
const BATCHES_SHARE = 0.9;
/** Below it every statement of mydumper's default size would be too large. */
const LEAST_USABLE_BYTES = 512 * 1024;
/**
 * Each batch costs a start of myloader, about 50 ms of processor time. That is little beside
 * loading this many bytes.
 */
const LEAST_WANTED_BYTES = 8 * 1024 * 1024;
/** More would only make the first batch late, and the last. */
const MOST_WANTED_BYTES = 64 * 1024 * 1024;
/** So that loaders end at about the same time. */
const BATCHES_PER_LOADER = 4;

/**
 * Divides the staging budget for data files of these sizes. There are as many loaders as threads.
 * There are fewer where batches would become too small, or where a file that fits whole would be
 * cut. Pure.
 * @returns undefined when the budget is too small for any batch.
 */
export function planDisk(
  budgetBytes: number,
  metadataBytes: number,
  threads: number,
  sizes: readonly number[],
): DiskPlan | undefined {
  const usableBytes =
    budgetBytes - OUR_OWN_BYTES - Math.ceil(metadataBytes / BLOCK_BYTES + 1) * BLOCK_BYTES;
  if (usableBytes < LEAST_USABLE_BYTES) return undefined;
  const forBatches = usableBytes * BATCHES_SHARE;
  const staged = sizes.map(stagedBytes).filter((bytes) => bytes <= forBatches / 2);
  const largest = staged.reduce((most, bytes) => Math.max(most, bytes), LEAST_WANTED_BYTES);
  const loaders = Math.min(threads, Math.max(1, Math.floor(forBatches / largest) - 1));
  const batchBytes = Math.floor(forBatches / (loaders + 1) / BLOCK_BYTES) * BLOCK_BYTES;
  if (loaders === 1) return { usableBytes, loaders, batchBytes, wantedBytes: batchBytes };
  const share = staged.reduce((sum, bytes) => sum + bytes, 0) / loaders / BATCHES_PER_LOADER;
  const wantedBytes = Math.min(batchBytes, MOST_WANTED_BYTES, Math.max(LEAST_WANTED_BYTES, share));
  return { usableBytes, loaders, batchBytes, wantedBytes };
}

/** Threads of each loader. Pure. */
export function threadsOf(loaders: number, threads: number): number[] {
  return Array.from({ length: loaders }, (_, at) => Math.floor((threads + at) / loaders));
}
