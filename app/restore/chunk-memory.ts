import { freeMemory } from '../free-memory.ts';

/** Frees the memory of chunks as soon as the rows in them are sent. */
export type ChunkMemory = {
  /** `end`: offset in the file of the byte after the chunk. */
  readonly add: (chunk: Buffer, end: number) => void;
  /** No slice before this offset of the file is used any more. */
  readonly usedUpTo: (offset: number) => void;
};

export function createChunkMemory(): ChunkMemory {
  const chunks: { readonly chunk: Buffer; readonly end: number }[] = [];
  let first = 0;
  return {
    add: (chunk, end) => {
      chunks.push({ chunk, end });
    },
    usedUpTo: (offset) => {
      for (;;) {
        const next = chunks[first];
        if (next === undefined || next.end > offset) break;
        first += 1;
        freeMemory(next.chunk);
      }
      if (first < 1000 && first < chunks.length) return;
      chunks.splice(0, first);
      first = 0;
    },
  };
}
