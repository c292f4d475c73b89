import { createNews } from '../news.ts';
import { createReusedBuffers, type ReusedBuffers } from '../reused-buffers.ts';

/**
 * Parts in memory beyond one for each file. This also limits how many parts of a single file are
 * under way. More were not faster.
 */
export const EXTRA_PARTS = 2;

/** The parts of one file that are in memory: those under way, and the one that is being filled. */
export type FileParts = {
  /**
   * Memory for one more part. It waits while the file holds a part and other files hold all extra
   * ones.
   */
  readonly take: (bytes: number) => Promise<Buffer>;
  readonly giveBack: (buffer: Buffer) => void;
  /**
   * The file needs no more memory, and its waiting calls continue. Buffers that were not given back
   * are not used again: an abandoned request may still send from them.
   */
  readonly end: () => void;
};

export type PartMemory = { readonly open: () => FileParts };

/**
 * Bounds the memory for parts. Each file may hold one, so that no file waits for another. All files
 * share `extra` more, so that one part fills while another is under way.
 */
export function createPartMemory(
  extra: number,
  buffers: Pick<ReusedBuffers, 'take' | 'giveBack'> = createReusedBuffers(),
): PartMemory {
  let extraHeld = 0;
  const { next, notify } = createNews();

  return {
    open: () => {
      let held = 0;
      let ended = false;
      const drop = () => {
        held -= 1;
        if (held > 0) extraHeld -= 1;
        notify();
      };
      return {
        take: async (bytes) => {
          while (!ended && held > 0 && extraHeld >= extra) await next();
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
          notify();
        },
      };
    },
  };
}
