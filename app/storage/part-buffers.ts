/**
 * Buffers that parts are put together in, used again and again: memory that is new each time costs the kernel's clearing of its pages and
 * many a garbage collection. There are as many as were ever in use at once.
 */
export type PartBuffers = {
  readonly take: (bytes: number) => Buffer;
  /** Only once nothing reads it any more. */
  readonly giveBack: (buffer: Buffer) => void;
};

export function createPartBuffers(): PartBuffers {
  const free: Buffer[] = [];
  return {
    take: (bytes) => {
      const at = free.findLastIndex(({ byteLength }) => byteLength === bytes);
      const [found] = at < 0 ? [] : free.splice(at, 1);
      return found ?? Buffer.allocUnsafeSlow(bytes);
    },
    giveBack: (buffer) => void free.push(buffer),
  };
}
