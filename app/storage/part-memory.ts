import { createReusedBuffers, type ReusedBuffers } from '../reused-buffers.ts';

/**
 * Parts in memory beyond one for each file, and so how many of a single file are under way; more
 * were not faster.
 */
export const EXTRA_PARTS = 2;

/** The parts of one file that are in memory: those under way, and the one that is being filled. */
export type FileParts = {
  /**
   * Memory for one more part; waits for it when the file holds some already and others have taken
   * what there is beyond one for each.
   */
  readonly take: (bytes: number) => Promise<Buffer>;
  readonly giveBack: (buffer: Buffer) => void;
  /**
   * The file needs no more; whoever waits for it goes on. What was not given back is not used
   * again: a request that was given up may still send from it.
   */
  readonly end: () => void;
};

export type PartMemory = { readonly open: () => FileParts };

/**
 * What parts take in all: each file may hold one, so that none waits for another, and all of them
 * together `extra` more, so that one is filled while another is under way.
 */
export function createPartMemory(
  extra: number,
  buffers: Pick<ReusedBuffers, 'take' | 'giveBack'> = createReusedBuffers(),
): PartMemory {
  let extraHeld = 0;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };

  return {
    open: () => {
      let held = 0;
      let ended = false;
      const drop = () => {
        held -= 1;
        if (held > 0) extraHeld -= 1;
        tell();
      };
      return {
        take: async (bytes) => {
          while (!ended && held > 0 && extraHeld >= extra) await news.promise;
          if (!ended) {
            if (held > 0) extraHeld += 1;
            held += 1;
          }
          return buffers.take(bytes);
        },
        giveBack: (buffer) => {
          buffers.giveBack(buffer);
          if (!ended) drop();
        },
        end: () => {
          ended = true;
          while (held > 0) drop();
          tell();
        },
      };
    },
  };
}
