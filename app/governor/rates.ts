/** Windows shorter than this say more about the clock than about the rate. */
const SHORTEST_WINDOW_SECONDS = 0.02;
const GROWTH_HALF_LIFE_SECONDS = 2;
/** Assumed until mydumper has been seen writing: about what it does from a local server. */
const FIRST_GUESS_BYTES_PER_SECOND = 400_000_000;

export type Peak = {
  /** Takes in a reading at a time in seconds and returns the peak so far, older peaks faded. */
  readonly update: (value: number, seconds: number) => number;
  readonly value: () => number;
};

/**
 * A maximum that fades by half in `halfLifeSeconds`. It remembers a burst for a while, not for
 * ever.
 */
export function fadingPeak(halfLifeSeconds: number, initial = 0): Peak {
  let peak = initial;
  let last: number | undefined;
  return {
    update: (value, seconds) => {
      const faded = peak * 0.5 ** (Math.max(0, seconds - (last ?? seconds)) / halfLifeSeconds);
      last = seconds;
      peak = Math.max(value, faded);
      return peak;
    },
    value: () => peak,
  };
}

export type GrowthMeter = {
  /**
   * Takes the bytes written so far. Time in which mydumper was stopped does not count as running.
   */
  readonly update: (dumpedBytes: number, seconds: number, stopped: boolean) => number;
};

/**
 * Peak bytes per second that mydumper writes while it runs. The value stays while mydumper is
 * stopped or has not written yet.
 */
export function growthMeter(): GrowthMeter {
  const peak = fadingPeak(GROWTH_HALF_LIFE_SECONDS, FIRST_GUESS_BYTES_PER_SECOND);
  let from: { bytes: number; seconds: number } | undefined;
  return {
    update: (dumpedBytes, seconds, stopped) => {
      if (stopped || from === undefined || dumpedBytes === 0) {
        from = { bytes: dumpedBytes, seconds };
        return peak.value();
      }
      const elapsed = seconds - from.seconds;
      if (elapsed < SHORTEST_WINDOW_SECONDS) return peak.value();
      const rate = (dumpedBytes - from.bytes) / elapsed;
      from = { bytes: dumpedBytes, seconds };
      return peak.update(Math.max(0, rate), seconds);
    },
  };
}
