import fc from 'fast-check';
import type { GovernorState } from '../../app/governor/decide.ts';

export const MIB = 1024 * 1024;
export const BUDGET = 100 * MIB;
export const BURST = 4 * MIB;
/** What `stateOf()` gives: the budget less twice the burst. */
export const LEVEL = BUDGET - 2 * BURST;
/** The same while mydumper holds locks. */
export const LOCKED_LEVEL = BUDGET - BURST;

/** Behind the gate, unless told. */
export function stateOf(changes: Partial<GovernorState> = {}): GovernorState {
  return {
    budgetBytes: BUDGET,
    stagedBytes: 0,
    shippableBytes: 0,
    growthBytesPerSecond: 100e6,
    reactionSeconds: 0.01,
    burstBytes: BURST,
    likelyBurstBytes: BURST,
    gated: true,
    stopped: false,
    stoppedSeconds: 0,
    patienceSeconds: 300,
    locked: false,
    lockedStopSeconds: 0,
    ...changes,
  };
}

const bytes = fc.integer({ min: 0, max: 2 * BUDGET });
const seconds = fc.double({ min: 0, max: 1000, noNaN: true });
/** Sizes as the program plans them: a burst of statements is at most an eighth of the budget. */
export const states: fc.Arbitrary<GovernorState> = fc
  .record({
    budgetBytes: fc.constant(BUDGET),
    stagedBytes: bytes,
    shippableBytes: bytes,
    growthBytesPerSecond: fc.double({ min: 0, max: 1e10, noNaN: true }),
    reactionSeconds: fc.double({ min: 0, max: 1, noNaN: true }),
    burstBytes: fc.integer({ min: 1, max: BUDGET / 8 }),
    likelyBurstBytes: bytes,
    gated: fc.boolean(),
    stopped: fc.boolean(),
    stoppedSeconds: seconds,
    patienceSeconds: seconds,
    locked: fc.boolean(),
    lockedStopSeconds: seconds,
  })
  .map((state) => ({
    ...state,
    shippableBytes: Math.min(state.shippableBytes, state.stagedBytes),
  }));
