import { type GovernorState, pauseLevel } from './decide.ts';

/** Shortest time between two looks: what a timer can do. */
export const SHORTEST_PERIOD_MILLISECONDS = 1;
/** Longest time between two looks when nothing is near. */
const LONGEST_PERIOD_MILLISECONDS = 25;
/**
 * A directory with very many small files takes long to read. While no write waits for a look,
 * looking may take this share of the time.
 */
const LOOK_TIME_SHARE = 0.2;
/**
 * The longest time between two looks because of that share. Twice as long would still be within the
 * gate's distance.
 */
const LONGEST_STRETCHED_MILLISECONDS = 50;
/**
 * The time between looks in a pause, when mydumper writes nothing. Freed space triggers a look at
 * once, so these looks only find changes from outside. Looking every 2 ms took processor time from
 * the shipping that ends the pause.
 */
const PAUSED_MILLISECONDS = 20;
/** The last writes before a pause are seen by looks that are closer together. */
const SETTLING_SECONDS = 0.02;
/** Looks to take before the pause level would be reached at the present rate. */
const LOOKS_AHEAD = 8;

/**
 * Milliseconds until the next look: the closer the budget, the shorter. `lookSeconds` is the
 * duration of the last look.
 */
export function nextLookMilliseconds(state: GovernorState, lookSeconds: number): number {
  const fairMilliseconds = fair(lookSeconds);
  // Without the gate it is a look that ends the moment it may read in a long pause.
  if (state.stopped && !state.gated) return 2;
  if (state.stopped)
    return state.stoppedSeconds < SETTLING_SECONDS
      ? afterFreeMilliseconds(lookSeconds)
      : Math.max(PAUSED_MILLISECONDS, fairMilliseconds);
  // Each write of mydumper's waits for a look.
  if (state.gated) return SHORTEST_PERIOD_MILLISECONDS;
  const room = pauseLevel(state) - state.stagedBytes;
  if (room <= 0) return SHORTEST_PERIOD_MILLISECONDS;
  const milliseconds = (room / Math.max(1, state.growthBytesPerSecond) / LOOKS_AHEAD) * 1000;
  const longest = Math.max(LONGEST_PERIOD_MILLISECONDS, fairMilliseconds);
  return Math.max(SHORTEST_PERIOD_MILLISECONDS, Math.min(longest, Math.floor(milliseconds)));
}

/** Milliseconds from one look to the next when something was freed in a pause meanwhile. */
export function afterFreeMilliseconds(lookSeconds: number): number {
  return Math.max(2, fair(lookSeconds));
}

function fair(lookSeconds: number): number {
  return Math.min(
    LONGEST_STRETCHED_MILLISECONDS,
    Math.round(lookSeconds * 1000 * (1 / LOOK_TIME_SHARE - 1)),
  );
}
