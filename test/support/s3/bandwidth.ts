/**
 * The arithmetic of a token bucket, without a clock of its own: `reserve` books `bytes` at the time
 * `now` (in milliseconds) and returns how many milliseconds the caller must wait before it may go
 * on. Unused time counts for at most `burstMilliseconds`. Bookings are served in order, so the sum
 * over all callers stays under the rate.
 */
export function tokenBucket(bytesPerSecond: number, burstMilliseconds = 20) {
  let freeAt = Number.NEGATIVE_INFINITY;
  return {
    reserve(bytes: number, now: number): number {
      freeAt = Math.max(freeAt, now - burstMilliseconds) + (bytes / bytesPerSecond) * 1000;
      return Math.max(0, freeAt - now);
    },
  };
}

/** A link whose bandwidth can be changed while transfers wait on it. */
export type Link = {
  /**
   * Resolves when `bytes` may pass, at once without a limit. Resolves early when the limit changes
   * or `release` is called.
   */
  take(bytes: number): Promise<void> | undefined;
  /** Bytes per second; undefined takes the limit away. */
  setRate(bytesPerSecond: number | undefined): void;
  /** Lets everyone waiting go and takes the limit away. */
  release(): void;
};

export function createLink(bytesPerSecond?: number): Link {
  let bucket = bytesPerSecond === undefined ? undefined : tokenBucket(checked(bytesPerSecond));
  const waiting = new Set<() => void>();

  function setRate(rate: number | undefined) {
    bucket = rate === undefined ? undefined : tokenBucket(checked(rate));
    for (const wake of [...waiting]) wake();
  }

  return {
    take(bytes) {
      const wait = bucket?.reserve(bytes, performance.now()) ?? 0;
      // Timers are good to a millisecond; shorter waits add up in the bucket instead.
      if (wait < 1) return undefined;
      return new Promise((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, Math.min(wait, 2 ** 31 - 1));
        waiting.add(wake);
      });
    },
    setRate,
    release: () => setRate(undefined),
  };
}

function checked(rate: number): number {
  if (!(rate > 0))
    throw new RangeError(`a bandwidth must be above 0 bytes per second, not ${rate}`);
  return rate;
}
