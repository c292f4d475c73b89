/** Statements in memory may take this much in each lane. A larger one waits for its turn. */
export const FREE_BYTES = 12 * 1024 * 1024;

const LOOK_MILLISECONDS = 500;

/**
 * A turn that only one lane of all threads has at a time, so that only one very large row is in
 * memory. `shared` holds one integer, 0 when the turn is free.
 */
export type MemoryTurn = {
  /** Waits for the turn; at once when this lane has it already. @throws the signal's reason. */
  readonly take: () => Promise<void>;
  readonly giveBack: () => void;
};

export function createMemoryTurn(shared: SharedArrayBuffer, signal: AbortSignal): MemoryTurn {
  const state = new Int32Array(shared);
  let mine = false;
  return {
    take: async () => {
      while (!mine && Atomics.compareExchange(state, 0, 0, 1) !== 0) {
        signal.throwIfAborted();
        // Looked at now and then too: a thread that crashed does not give the turn back.
        await Atomics.waitAsync(state, 0, 1, LOOK_MILLISECONDS).value;
      }
      mine = true;
    },
    giveBack: () => {
      if (!mine) return;
      mine = false;
      Atomics.store(state, 0, 0);
      Atomics.notify(state, 0, 1);
    },
  };
}
