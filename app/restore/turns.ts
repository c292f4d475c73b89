/** Work that may go on together, and work that is done alone. */
export type Turns = {
  readonly together: <T>(work: () => Promise<T>) => Promise<T>;
  /** Begins when nothing else is under way, and nothing else begins until it has ended. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
};

export function createTurns(): Turns {
  let underWay = new Set<Promise<unknown>>();
  let lastAlone: Promise<unknown> = Promise.resolve();
  const settled = (work: Promise<unknown>) => work.then(noted, noted);
  return {
    together: async (work) => {
      // Exclusive work that was requested meanwhile goes first.
      for (let waited: unknown; waited !== lastAlone; ) {
        const before = lastAlone;
        await before;
        waited = before;
      }
      const own = work();
      const end = settled(own);
      const all = underWay;
      all.add(end);
      void end.then(() => all.delete(end));
      return own;
    },
    alone: (work) => {
      const others = underWay;
      underWay = new Set();
      const own = Promise.all([lastAlone, ...others]).then(work);
      lastAlone = settled(own);
      return own;
    },
  };
}

function noted(): void {}
