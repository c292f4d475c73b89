/** Bytes a page or block rounds up to, on all file systems that matter here. */
const BLOCK_BYTES = 4096;

/** What is known of a file before it is fetched. */
export type Sized = { readonly name: string; readonly dumpedBytes: number };

/** Files staged together and loaded by one run of myloader, or one that is cut because it is larger than a batch. */
export type Batch<File extends Sized> =
  | { readonly kind: 'whole'; readonly files: readonly File[]; readonly bytes: number }
  | { readonly kind: 'cut'; readonly file: File };

/** Disk that a file takes once staged, with the few statements added to it (statements are 64 KiB or so, or a row). */
export function stagedBytes(dumpedBytes: number): number {
  return Math.ceil((dumpedBytes * 1.02 + 1024) / BLOCK_BYTES) * BLOCK_BYTES;
}

/**
 * Files in the order given, as many to a batch as fit into `batchBytes` of disk. Pure. A file that does not fit by itself, or of which
 * a part is loaded already (`mustCut`), becomes one that is cut.
 */
export function planBatches<File extends Sized>(
  files: readonly File[],
  batchBytes: number,
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
    if (bytes + size > batchBytes) close();
    open.push(file);
    bytes += size;
  }
  close();
  return batches;
}

export type DiskPlan = {
  /** For files of dumps; the rest of the budget is for our own small files and directories. */
  readonly usableBytes: number;
  /** One batch loads while the next is fetched. */
  readonly batchBytes: number;
};

/** Marker, option file, two directories and the pages that a file system rounds up to. */
const OUR_OWN_BYTES = 64 * 1024;
/** The rest stays free for statements that end later than hoped for. */
const BATCH_SHARE = 0.45;
/** Below it every statement of mydumper's default size would be too large. */
const LEAST_USABLE_BYTES = 512 * 1024;

/** How the staging budget is used. undefined when it is too small for anything. Pure. */
export function planDisk(budgetBytes: number, metadataBytes: number): DiskPlan | undefined {
  const usableBytes = budgetBytes - OUR_OWN_BYTES - Math.ceil(metadataBytes / BLOCK_BYTES + 1) * BLOCK_BYTES;
  if (usableBytes < LEAST_USABLE_BYTES) return undefined;
  return { usableBytes, batchBytes: Math.floor((usableBytes * BATCH_SHARE) / BLOCK_BYTES) * BLOCK_BYTES };
}
