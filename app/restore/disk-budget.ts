import { Failure } from '../errors.ts';
import { createNews } from '../news.ts';

const MIB = 1024 * 1024;

/** Disk that staged files take, counted before it is written. */
export type DiskBudget = {
  /** For staged files. */
  readonly usableBytes: number;
  readonly usedBytes: () => number;
  /** @throws Failure `staging` when this many bytes would not fit even into empty staging. */
  readonly requireRoom: (bytes: number, what: string) => void;
  /**
   * Waits until so many more bytes may be written.
   * @throws Failure `staging` when nothing is left that would free any.
   */
  readonly take: (bytes: number, what: string) => Promise<void>;
  readonly give: (bytes: number) => void;
  /** A batch was handed over, and will give back what it holds. */
  readonly handedOver: () => void;
  readonly released: () => void;
  /** Waiting and later calls of `take` throw this. */
  readonly end: (reason: unknown) => void;
};

export type DiskSize = {
  /** The whole staging budget; what of it is not usable does not depend on its size. */
  readonly budgetBytes: number;
  readonly usableBytes: number;
};

/** The smallest STAGING_LIMIT_MB with so many usable bytes. Pure. */
export function leastLimitMiB({ budgetBytes, usableBytes }: DiskSize, neededBytes: number): number {
  return Math.ceil((neededBytes + budgetBytes - usableBytes) / MIB);
}

export function createDiskBudget(
  size: DiskSize,
  onChange: (usedBytes: number) => void,
): DiskBudget {
  const { usableBytes } = size;
  let used = 0;
  let loading = 0;
  let ended: { readonly reason: unknown } | undefined;
  const { next, notify } = createNews();
  const report = () => {
    onChange(used);
    notify();
  };
  const requireRoom = (bytes: number, what: string) => {
    if (bytes <= usableBytes) return;
    throw new Failure(
      'staging',
      `${what} does not fit into the staging budget; ` +
        `set STAGING_LIMIT_MB to ${leastLimitMiB(size, bytes)} or more`,
    );
  };
  return {
    usableBytes,
    usedBytes: () => used,
    requireRoom,
    take: async (bytes, what) => {
      for (;;) {
        if (ended !== undefined) throw ended.reason;
        if (used + bytes <= usableBytes) break;
        if (loading === 0) requireRoom(used + bytes, what);
        await next();
      }
      used += bytes;
      onChange(used);
    },
    give: (bytes) => {
      used -= bytes;
      report();
    },
    handedOver: () => {
      loading += 1;
    },
    released: () => {
      loading -= 1;
      report();
    },
    end: (reason) => {
      ended ??= { reason };
      report();
    },
  };
}
