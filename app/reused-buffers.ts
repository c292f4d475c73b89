/**
 * Buffers that are used again and again: memory that is new each time costs the kernel's clearing of its pages, giving it back, and many a
 * garbage collection. There are as many as were ever in use at once.
 */
export type ReusedBuffers = {
  readonly take: (bytes: number) => Buffer;
  /** The buffer or any view of it, once nothing reads it any more. What was not taken here, or was given back before, is left alone. */
  readonly giveBack: (piece: Buffer) => void;
};

export function createReusedBuffers(): ReusedBuffers {
  const free: Buffer[] = [];
  const lent = new WeakMap<ArrayBufferLike, Buffer>();
  return {
    take: (bytes) => {
      const at = free.findLastIndex(({ byteLength }) => byteLength === bytes);
      const [found] = at < 0 ? [] : free.splice(at, 1);
      const buffer = found ?? Buffer.allocUnsafeSlow(bytes);
      lent.set(buffer.buffer, buffer);
      return buffer;
    },
    giveBack: ({ buffer }) => {
      const whole = lent.get(buffer);
      if (whole !== undefined && lent.delete(buffer)) free.push(whole);
    },
  };
}
