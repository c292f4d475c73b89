import { Failure } from '../errors.ts';

const MIB = 1024 * 1024;

/** Disk that staged files take, counted before it is written. */
export type DiskBudget = {
  readonly usedBytes: () => number;
  /**
   * Waits until so many more bytes may be written.
   * @throws Failure `staging` when nothing is left that would free any: the budget cannot hold one statement.
   */
  readonly take: (bytes: number, what: string) => Promise<void>;
  readonly give: (bytes: number) => void;
  /** A batch was handed over, and will give back what it holds. */
  readonly handedOver: () => void;
  readonly released: () => void;
};

export function createDiskBudget(usableBytes: number, onChange: (usedBytes: number) => void): DiskBudget {
  let used = 0;
  let loading = 0;
  let changed = Promise.withResolvers<void>();
  const tell = () => {
    onChange(used);
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  return {
    usedBytes: () => used,
    take: async (bytes, what) => {
      while (used + bytes > usableBytes) {
        if (loading === 0) {
          const needed = Math.ceil((used + bytes) / MIB) * 2 + 1;
          throw new Failure(
            'staging',
            `${what} does not fit into the staging budget by itself; set STAGING_LIMIT_MB to ${needed} or more`,
          );
        }
        await changed.promise;
      }
      used += bytes;
      onChange(used);
    },
    give: (bytes) => {
      used -= bytes;
      tell();
    },
    handedOver: () => {
      loading += 1;
    },
    released: () => {
      loading -= 1;
      tell();
    },
  };
}
