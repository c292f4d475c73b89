/**
 * Buffers that are used again and again: memory that is new each time costs the kernel's clearing
 * of its pages, giving it back, and many a garbage collection. There are as many as were ever in
 * use at once.
 */
export type ReusedBuffers = {
  readonly take: (bytes: number) => Buffer;
  /** Somebody else reads it too: it has to be given back once more. */
  readonly hold: (piece: Buffer) => void;
  /**
   * The buffer or any view of it, once its reader is done. What was not taken here, or was given
   * back by all, is left alone.
   */
  readonly giveBack: (piece: Buffer) => void;
};

/** Memory that another thread can read without a copy. */
export function allocateShared(bytes: number): Buffer {
  return Buffer.from(new SharedArrayBuffer(bytes));
}

export function createReusedBuffers(
  allocate: (bytes: number) => Buffer = Buffer.allocUnsafeSlow,
): ReusedBuffers {
  const free: Buffer[] = [];
  const lent = new WeakMap<ArrayBufferLike, { readonly whole: Buffer; readers: number }>();
  return {
    take: (bytes) => {
      const at = free.findLastIndex(({ byteLength }) => byteLength === bytes);
      const [found] = at < 0 ? [] : free.splice(at, 1);
      const buffer = found ?? allocate(bytes);
      lent.set(buffer.buffer, { whole: buffer, readers: 1 });
      return buffer;
    },
    hold: ({ buffer }) => {
      const taken = lent.get(buffer);
      if (taken !== undefined) taken.readers += 1;
    },
    giveBack: ({ buffer }) => {
      const taken = lent.get(buffer);
      if (taken === undefined) return;
      taken.readers -= 1;
      if (taken.readers === 0 && lent.delete(buffer)) free.push(taken.whole);
    },
  };
}
