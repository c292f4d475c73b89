/**
 * The whole input of the decision. There is no clock and no file system: the same state always
 * gives the same decision.
 */
export type GovernorState = {
  readonly budgetBytes: number;
  /** Allocated in the staging directory now. */
  readonly stagedBytes: number;
  /** Of these, in files mydumper has finished: waiting for shipping or being shipped. */
  readonly shippableBytes: number;
  /** How fast mydumper fills the disk while it runs; the last known rate while it is stopped. */
  readonly growthBytesPerSecond: number;
  /** How long it takes us to notice and stop it, measured. */
  readonly reactionSeconds: number;
  /** What still lands after a stop at the most: one statement for each thread. */
  readonly burstBytes: number;
  /** The same with what large rows may add, which are written whole; at least `burstBytes`. */
  readonly likelyBurstBytes: number;
  /**
   * The kernel stops mydumper at its next write. Only the burst can land then, however late this
   * thread is.
   */
  readonly gated: boolean;
  readonly stopped: boolean;
  /** How long it has been stopped without reading anything. */
  readonly stoppedSeconds: number;
  /** How long server and network bear a client that reads nothing. */
  readonly patienceSeconds: number;
  /** mydumper holds a global or table lock: other people's writes wait while it is stopped. */
  readonly locked: boolean;
  /** How long it has been stopped under a lock, in all. */
  readonly lockedStopSeconds: number;
};

export type Decision = {
  /**
   * `run`: keep running. `pause`: stop mydumper, or leave it stopped. `resume`: continue it.
   * `breathe`: let it read for a moment and stay paused. `fail`: the budget cannot be kept.
   */
  readonly action: 'run' | 'pause' | 'resume' | 'breathe' | 'fail';
  readonly reason: string;
};

/** Writers may wait this long in all for a stopped mydumper. Then the run fails (invariant 4). */
export const MAXIMUM_LOCKED_STOP_SECONDS = 10;
/**
 * Looking ahead claims at most this share of the budget. One slow look must not stop a dump with a
 * small budget.
 */
const LOOK_AHEAD_SHARE = 0.5;
/** Rate and reaction are measured. The next moment may be worse than all measured ones. */
const LOOK_AHEAD_MARGIN = 1.5;
/**
 * Large rows that may come claim at most this share. A budget must stay useful where no such row
 * comes.
 */
const LIKELY_BURST_SHARE = 0.5;
/** A stopped mydumper resumes when staging has fallen to this share of the pause level. */
const RESUME_SHARE = 0.5;
/**
 * The same while mydumper holds locks. It resumes sooner, so that writers wait less. It then stops
 * again sooner too.
 */
const LOCKED_RESUME_SHARE = 0.9;

/**
 * Staged bytes at which mydumper is stopped. Bytes that may still land before the stop takes effect
 * must fit in the budget. Under locks nothing else counts, since stopping mydumper stops all
 * writers.
 */
export function pauseLevel(state: GovernorState): number {
  const likely = Math.min(state.likelyBurstBytes, state.budgetBytes * LIKELY_BURST_SHARE);
  // Twice, so that in a long pause it can be let read for a moment.
  const burst = state.locked ? state.burstBytes : Math.max(2 * state.burstBytes, likely);
  if (state.gated) return Math.max(0, state.budgetBytes - burst);
  const ahead = state.growthBytesPerSecond * state.reactionSeconds * LOOK_AHEAD_MARGIN;
  return Math.max(
    0,
    state.budgetBytes - burst - Math.min(ahead, state.budgetBytes * LOOK_AHEAD_SHARE),
  );
}

/** A busy machine has been seen to keep our thread from running for 0.1 s. */
const LONGEST_STALL_SECONDS = 0.25;
/**
 * A mydumper that was slow until now may write this much in such a stall, when it reaches an easier
 * table.
 */
const LEAST_DISTANCE_BYTES = 32 * 1024 * 1024;

/**
 * Staged bytes from which the gate stays shut. Below this level even a long stall of this thread
 * does not fill the budget.
 */
export function gateLevel({
  budgetBytes,
  burstBytes,
  growthBytesPerSecond,
}: GovernorState): number {
  return (
    budgetBytes -
    burstBytes -
    Math.max(LEAST_DISTANCE_BYTES, growthBytesPerSecond * LONGEST_STALL_SECONDS)
  );
}

/**
 * Whether mydumper may continue behind the gate while it is still stopping. Each thread may then
 * have one write that this thread has not seen, and gets one more. A third write is for a thread
 * whose stop the continuing has undone. Large rows count as twice the largest step so far.
 */
export function needsNoStop(state: GovernorState): boolean {
  const { stagedBytes, burstBytes, likelyBurstBytes, budgetBytes, gated } = state;
  return gated && stagedBytes + Math.max(3 * burstBytes, 2 * likelyBurstBytes) <= budgetBytes;
}

/**
 * Decides whether mydumper may write. Stopping is the last resort: while nothing can be shipped, no
 * upload could end the stop.
 */
export function decide(state: GovernorState): Decision {
  const level = pauseLevel(state);
  const canShip = state.shippableBytes > 0;
  /** The last drop: one more statement of each thread still fits. */
  const roomForMore = state.stagedBytes + state.burstBytes <= state.budgetBytes;

  if (state.stopped) {
    const isLastMoment = state.locked && state.lockedStopSeconds >= MAXIMUM_LOCKED_STOP_SECONDS;
    const hasRoom = isLastMoment
      ? roomForMore && state.stagedBytes < level
      : state.stagedBytes <= level * (state.locked ? LOCKED_RESUME_SHARE : RESUME_SHARE);
    if (hasRoom) return { action: 'resume', reason: 'staging has room again' };
    if (isLastMoment) return { action: 'fail', reason: lockedFailure(state) };
    if (state.locked && state.stoppedSeconds >= state.patienceSeconds && !roomForMore) {
      return { action: 'fail', reason: lockedFailure(state) };
    }
    if (state.stoppedSeconds >= state.patienceSeconds && roomForMore) {
      return { action: 'breathe', reason: 'the patience of the server is limited' };
    }
    if (canShip) return { action: 'pause', reason: 'waiting for uploads to free staging' };
    return roomForMore
      ? { action: 'resume', reason: 'nothing finished is left to ship and there is room for more' }
      : { action: 'fail', reason: stuckFailure(state) };
  }

  if (state.stagedBytes < level) return { action: 'run', reason: 'staging has room' };
  if (!canShip) {
    return roomForMore
      ? { action: 'run', reason: 'nothing finished to ship yet and there is room for more' }
      : { action: 'fail', reason: stuckFailure(state) };
  }
  return {
    action: 'pause',
    reason: state.locked
      ? 'the whole budget is used while mydumper holds locks'
      : 'staging would exceed its budget before uploads free enough',
  };
}

function stuckFailure({ stagedBytes, budgetBytes }: GovernorState): string {
  return (
    `${stagedBytes} of ${budgetBytes} bytes of staging are in files mydumper has not finished, ` +
    'so nothing can be shipped; ' +
    'raise STAGING_LIMIT_MB, or lower THREADS or CHUNK_FILE_SIZE_MB'
  );
}

function lockedFailure({ stagedBytes, budgetBytes, lockedStopSeconds }: GovernorState): string {
  return (
    `${stagedBytes} of ${budgetBytes} bytes of staging are in use while mydumper holds locks, ` +
    'no further statement fits, and ' +
    `writers have waited ${Math.floor(lockedStopSeconds)} seconds; ` +
    'raise STAGING_LIMIT_MB or set LOCK_MODE'
  );
}
