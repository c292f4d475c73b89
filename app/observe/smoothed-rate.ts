/**
 * The time span of a rate, in seconds. Uploads are counted file by file, so a rate over a shorter
 * span would jump.
 */
const SMOOTHING_SECONDS = 10;

/** Tells the rate at which a growing total grows; `seconds` is any clock that never goes back. */
export type SmoothedRate = (total: number, seconds: number) => number;

/**
 * An exponentially weighted rate without bias at the start: bytes and seconds fade alike, and the
 * rate is their quotient. The first call returns 0.
 */
export function createSmoothedRate(smoothingSeconds = SMOOTHING_SECONDS): SmoothedRate {
  let last: { total: number; seconds: number } | undefined;
  let fadedTotal = 0;
  let fadedSeconds = 0;
  return (total, seconds) => {
    if (last === undefined) last = { total, seconds };
    const elapsed = seconds - last.seconds;
    if (elapsed > 0) {
      const keep = Math.exp(-elapsed / smoothingSeconds);
      fadedTotal = fadedTotal * keep + Math.max(0, total - last.total);
      fadedSeconds = fadedSeconds * keep + elapsed;
      last = { total, seconds };
    }
    return fadedSeconds === 0 ? 0 : fadedTotal / fadedSeconds;
  };
}
