type News = {
  /** Resolves at the next `notify`. */
  readonly next: () => Promise<void>;
  /** Resolves all waiting calls. */
  readonly notify: () => void;
};

/** Lets several waiters wait for the next change. A waiter then checks its condition again. */
export function createNews(): News {
  let change = Promise.withResolvers<void>();
  return {
    next: () => change.promise,
    notify: () => {
      change.resolve();
      change = Promise.withResolvers<void>();
    },
  };
}
