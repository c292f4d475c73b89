import type { AlternativeName } from './alternative-names.ts';
import type { Bandwidth, BenchOptions } from './options.ts';

/** One thing to measure, once in each round. */
export type Cell = {
  readonly alternative: AlternativeName;
  readonly sizeGb: number;
  readonly bandwidth: Bandwidth;
  readonly tls: boolean;
};

const FLOORS = ['mydumper-alone', 'upload-alone'] as const;
const OURS = ['ours-none', 'ours-zstd'] as const;
const OTHERS = [
  'stop-upload-resume',
  'mydumper-then-aws',
  'mydumper-then-rclone',
  'mysqldump-zstd-aws',
] as const;
const RESTORES = ['restore-ours', 'restore-download-myloader'] as const;

/** Above this size only floor A and ours run, to measure growth with size. */
const LARGEST_COMPARED_GB = 4;

/**
 * The size at which all alternatives are compared, with restores, TLS and slow networks: the
 * largest up to 1 GB, or the smallest one.
 */
export function referenceSize(sizesGb: readonly number[]): number {
  const sorted = sizesGb.toSorted((left, right) => left - right);
  return sorted.findLast((size) => size <= 1) ?? sorted[0] ?? 1;
}

/**
 * The size at which database and network are balanced: the largest up to 4 GB. At smaller sizes a
 * twentieth of the dump is little more than the sockets hold. Then an alternative that stops the
 * dump while it uploads loses nothing.
 */
export function balancedSize(sizesGb: readonly number[]): number {
  return (
    sizesGb
      .toSorted((left, right) => left - right)
      .findLast((size) => size <= LARGEST_COMPARED_GB) ?? referenceSize(sizesGb)
  );
}

/**
 * The cells of one round, in order. All alternatives run at the reference size. Unlimited backups
 * run at the other sizes too.
 */
export function planRound(
  options: Pick<BenchOptions, 'sizesGb' | 'bandwidths' | 'tls' | 'only'>,
): readonly Cell[] {
  const reference = referenceSize(options.sizesGb);
  const cells: Cell[] = [];
  const add = (
    names: readonly AlternativeName[],
    sizeGb: number,
    bandwidth: Bandwidth,
    tls = false,
  ) => {
    for (const alternative of names) cells.push({ alternative, sizeGb, bandwidth, tls });
  };
  for (const bandwidth of options.bandwidths.toSorted(
    (left, right) => order(left) - order(right),
  )) {
    if (bandwidth === 'unlimited') {
      add([...FLOORS, ...OURS, ...OTHERS, ...RESTORES], reference, bandwidth);
      if (options.tls)
        add(
          ['upload-alone', ...OURS, 'mydumper-then-aws', 'mydumper-then-rclone'],
          reference,
          bandwidth,
          true,
        );
      for (const size of options.sizesGb)
        if (size !== reference)
          add(
            size <= LARGEST_COMPARED_GB
              ? [...FLOORS, ...OURS, ...OTHERS]
              : ['mydumper-alone', ...OURS],
            size,
            bandwidth,
          );
    } else if (bandwidth === 'balanced')
      add(
        ['mydumper-alone', 'ours-none', 'stop-upload-resume', 'mydumper-then-rclone'],
        balancedSize(options.sizesGb),
        bandwidth,
      );
    else add(['upload-alone', ...OURS, ...OTHERS], reference, bandwidth);
  }
  return cells.filter(
    ({ alternative }) => options.only.length === 0 || options.only.includes(alternative),
  );
}

function order(bandwidth: Bandwidth): number {
  if (bandwidth === 'unlimited') return 0;
  return bandwidth === 'balanced' ? 1 : 1 + bandwidth;
}

export function cellName({ alternative, sizeGb, bandwidth, tls }: Cell): string {
  return (
    `${alternative} ${sizeGb} GB ` +
    `${typeof bandwidth === 'number' ? `${bandwidth} MB/s` : bandwidth}${tls ? ' TLS' : ''}`
  );
}
