/**
 * A pool of buffers. New memory each time would cost the clearing of pages by the kernel, their
 * return, and many garbage collections. The pool holds as many buffers as were ever in use at once.
 */
export type ReusedBuffers = {
  readonly take: (bytes: number) => Buffer;
  /** Adds a reader: each reader must give the buffer back. */
  readonly hold: (piece: Buffer) => void;
  /**
   * Takes the buffer, or any view of it, back from a reader. Ignores a buffer from elsewhere, or
   * one that all readers have given back.
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
