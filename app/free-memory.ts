/** Smaller memory may be from Node's pool of 8 KiB, which others use too. */
const LEAST_BYTES = 16 * 1024;

/**
 * Frees the memory of a piece of a stream at once. V8 would collect garbage after each 64 MiB of
 * such pieces, which costs more than what is done with them. A piece that does not end its memory
 * is left alone: a stream puts several pieces into one memory, one after another, and leaves it
 * after the last. No piece of the memory may be used any more.
 */
export function freeMemory({ buffer, byteOffset, byteLength }: Buffer): void {
  if (byteOffset + byteLength < buffer.byteLength || buffer.byteLength < LEAST_BYTES) return;
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}
