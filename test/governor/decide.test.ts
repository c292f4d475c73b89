import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  decide,
  type GovernorState,
  gateLevel,
  MAXIMUM_LOCKED_STOP_SECONDS,
  nextLookMilliseconds,
  pauseLevel,
} from '../../app/governor/decide.ts';

const MIB = 1024 * 1024;
const BUDGET = 100 * MIB;
const BURST = 4 * MIB;
/** What `stateOf()` gives: the budget less twice the burst. */
const LEVEL = BUDGET - 2 * BURST;

/** Behind the gate, unless told. */
function stateOf(changes: Partial<GovernorState> = {}): GovernorState {
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

type Case = readonly [title: string, state: Partial<GovernorState>, Decision['action'], reason: RegExp];

const full = { stagedBytes: BUDGET - BURST + 1 };
const toShip = { shippableBytes: 1 };

const running: readonly Case[] = [
  ['staging is empty', {}, 'run', /has room/],
  ['a byte is missing to the level', { stagedBytes: LEVEL - 1, ...toShip }, 'run', /has room/],
  ['the level is reached', { stagedBytes: LEVEL, ...toShip }, 'pause', /exceed its budget/],
  [
    'the budget is passed, yet files can be shipped',
    { stagedBytes: 2 * BUDGET, ...toShip },
    'pause',
    /budget/,
  ],
  ['nothing is finished at the level', { stagedBytes: LEVEL }, 'run', /nothing finished.*room for more/],
  ['nothing is finished and the last burst fits', { stagedBytes: BUDGET - BURST }, 'run', /room for more/],
  ['nothing is finished and no burst fits', full, 'fail', /STAGING_LIMIT_MB.*THREADS.*CHUNK_FILE_SIZE_MB/],
  ['locks are held below the level', { locked: true, stagedBytes: LEVEL - 1, ...toShip }, 'run', /has room/],
  [
    'locks are held at the level',
    { locked: true, stagedBytes: LEVEL, ...toShip },
    'pause',
    /whole budget.*locks/,
  ],
];

const stopped: readonly Case[] = [
  ['half of the level is left', { stagedBytes: LEVEL / 2, ...toShip }, 'resume', /room again/],
  [
    'a byte more than half is left',
    { stagedBytes: LEVEL / 2 + 1, ...toShip },
    'pause',
    /waiting for uploads/,
  ],
  ['nothing is left to ship', { stagedBytes: LEVEL }, 'resume', /nothing finished is left/],
  [
    'nothing is left to ship and the last burst fits',
    { stagedBytes: BUDGET - BURST },
    'resume',
    /room for more/,
  ],
  ['nothing is left to ship and no burst fits', full, 'fail', /nothing can be shipped.*STAGING_LIMIT_MB/],
  [
    'patience is nearly over',
    { stagedBytes: LEVEL, ...toShip, stoppedSeconds: 299.9 },
    'pause',
    /waiting for uploads/,
  ],
  ['patience is over', { stagedBytes: LEVEL, ...toShip, stoppedSeconds: 300 }, 'breathe', /patience/],
  ['patience is over and no burst fits', { ...full, ...toShip, stoppedSeconds: 1e6 }, 'pause', /waiting/],
  [
    'locks are held for less than is allowed',
    { locked: true, stagedBytes: LEVEL, ...toShip, lockedStopSeconds: MAXIMUM_LOCKED_STOP_SECONDS - 0.01 },
    'pause',
    /waiting for uploads/,
  ],
  [
    'locks are held for as long as is allowed',
    { locked: true, stagedBytes: LEVEL, ...toShip, lockedStopSeconds: MAXIMUM_LOCKED_STOP_SECONDS },
    'fail',
    /writers have waited 10 seconds.*STAGING_LIMIT_MB.*LOCK_MODE/,
  ],
  [
    'locks were held for long and are no more',
    { locked: false, stagedBytes: LEVEL, ...toShip, lockedStopSeconds: 60 },
    'pause',
    /waiting for uploads/,
  ],
  [
    'locks are held and there is room',
    { locked: true, ...toShip, lockedStopSeconds: 9 },
    'resume',
    /room again/,
  ],
];

describe('while mydumper runs and', () => {
  test.each(running)('%s', (_title, state, action, reason) => {
    const decision = decide(stateOf(state));
    expect(decision.action).toBe(action);
    expect(decision.reason).toMatch(reason);
  });
});

describe('while mydumper is stopped and', () => {
  test.each(stopped)('%s', (_title, state, action, reason) => {
    const decision = decide(stateOf({ ...state, stopped: true }));
    expect(decision.action).toBe(action);
    expect(decision.reason).toMatch(reason);
  });
});

test('a failure tells how many bytes of which budget', () => {
  expect(decide(stateOf({ stagedBytes: BUDGET })).reason).toContain(`${BUDGET} of ${BUDGET} bytes`);
});

describe('the level at which mydumper is stopped', () => {
  const level = (state: Partial<GovernorState>) => pauseLevel(stateOf(state));

  test('behind the gate leaves room for two statements of each thread, however fast it writes and late we are', () => {
    expect(level({ growthBytesPerSecond: 1e12, reactionSeconds: 60 })).toBe(BUDGET - 2 * BURST);
  });

  test('leaves room for a likely row where that is more than two statements', () => {
    expect(level({ likelyBurstBytes: 2 * BURST - 1 })).toBe(BUDGET - 2 * BURST);
    expect(level({ likelyBurstBytes: 30 * MIB })).toBe(BUDGET - 30 * MIB);
  });

  test('gives likely rows half of the budget at the most', () => {
    expect(level({ likelyBurstBytes: 50 * MIB })).toBe(BUDGET / 2);
    expect(level({ likelyBurstBytes: 1000 * MIB })).toBe(BUDGET / 2);
  });

  test('without the gate leaves room for what is written during half as long again as it takes us to react', () => {
    const ahead = { gated: false, growthBytesPerSecond: 100 * MIB, reactionSeconds: 0.1 };
    expect(level(ahead)).toBe(BUDGET - 2 * BURST - 15 * MIB);
  });

  test('looks ahead over half of the budget at the most', () => {
    const ahead = { gated: false, growthBytesPerSecond: 1e12, reactionSeconds: 1 };
    expect(level(ahead)).toBe(BUDGET / 2 - 2 * BURST);
  });

  test('is never negative', () => {
    expect(level({ burstBytes: BUDGET })).toBe(0);
    expect(level({ gated: false, burstBytes: BUDGET / 3, reactionSeconds: 10 })).toBe(0);
  });
});

describe('the level from which on the gate is shut', () => {
  test('is below the budget by a burst and what a long stall of ours lets through', () => {
    const budgetBytes = 1000 * MIB;
    const growthBytesPerSecond = 400 * MIB;
    expect(gateLevel(stateOf({ budgetBytes, growthBytesPerSecond }))).toBe(budgetBytes - BURST - 100 * MIB);
  });

  test('allows for a sudden burst of a mydumper that was slow until now', () => {
    expect(gateLevel(stateOf({ growthBytesPerSecond: 0 }))).toBe(BUDGET - BURST - 32 * MIB);
  });

  test('shuts the gate of a small budget from the first byte on', () => {
    expect(gateLevel(stateOf({ budgetBytes: 10 * MIB }))).toBeLessThanOrEqual(0);
  });
});

const bytes = fc.integer({ min: 0, max: 2 * BUDGET });
const seconds = fc.double({ min: 0, max: 1000, noNaN: true });
/** Sizes as the program plans them: a burst of statements is an eighth of the budget at the most. */
const states: fc.Arbitrary<GovernorState> = fc
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
  .map((state) => ({ ...state, shippableBytes: Math.min(state.shippableBytes, state.stagedBytes) }));

describe('whatever the state', () => {
  const holds = (property: (state: GovernorState, decision: Decision) => void) =>
    fc.assert(
      fc.property(states, (state) => property(state, decide(state))),
      { numRuns: 1000 },
    );

  test('mydumper is let write only while a statement of each thread fits', () => {
    holds((state, { action }) => {
      if (!['run', 'resume', 'breathe'].includes(action)) return;
      expect(state.stagedBytes + state.burstBytes).toBeLessThanOrEqual(state.budgetBytes);
    });
  });

  test('the answer fits the question: only a stopped one is continued, only a running one runs on', () => {
    holds((state, { action }) => {
      expect(state.stopped ? ['pause', 'resume', 'breathe', 'fail'] : ['run', 'pause', 'fail']).toContain(
        action,
      );
    });
  });

  test('nothing fails while something can be shipped and no locks are held', () => {
    holds((state, { action }) => {
      if (state.shippableBytes > 0 && !state.locked) expect(action).not.toBe('fail');
    });
  });

  test('nothing waits while nothing can be shipped', () => {
    holds((state, { action }) => {
      if (state.shippableBytes === 0) expect(action).not.toBe('pause');
    });
  });

  test('who was continued is not stopped again over the same state', () => {
    holds((state, { action }) => {
      if (action === 'resume') expect(decide({ ...state, stopped: false }).action).toBe('run');
    });
  });
});

describe('the time until the next look', () => {
  test('is 2 ms while mydumper is stopped, 1 ms behind the gate and 25 ms far from the budget', () => {
    expect(nextLookMilliseconds(stateOf({ stopped: true }), 0)).toBe(2);
    expect(nextLookMilliseconds(stateOf(), 0)).toBe(1);
    expect(nextLookMilliseconds(stateOf({ gated: false, growthBytesPerSecond: 0 }), 0)).toBe(25);
  });

  test('is stretched when a look takes long, but neither near the budget nor while a look must end a breath', () => {
    const far = stateOf({ gated: false, growthBytesPerSecond: 0 });
    expect(nextLookMilliseconds(far, 0.01)).toBe(40);
    expect(nextLookMilliseconds(far, 1)).toBe(50);
    expect(nextLookMilliseconds(stateOf({ stopped: true, gated: true }), 0.01)).toBe(40);
    expect(nextLookMilliseconds(stateOf({ stopped: true, gated: false }), 0.01)).toBe(2);
    expect(nextLookMilliseconds(stateOf({ gated: true }), 0.01)).toBe(10);
    expect(nextLookMilliseconds(stateOf({ gated: false, stagedBytes: LEVEL }), 0.01)).toBe(1);
  });

  test('is 1 ms at and beyond the level', () => {
    const at = (stagedBytes: number) =>
      nextLookMilliseconds(stateOf({ gated: false, growthBytesPerSecond: 0, stagedBytes }), 1);
    expect(at(LEVEL)).toBe(1);
    expect(at(2 * BUDGET)).toBe(1);
  });

  test('is a whole number of 1 to 50 ms, and lets eight looks happen before the level is reached', () => {
    fc.assert(
      fc.property(states, fc.double({ min: 0, max: 1, noNaN: true }), (state, lookSeconds) => {
        const milliseconds = nextLookMilliseconds(state, lookSeconds);
        expect(Number.isInteger(milliseconds)).toBe(true);
        expect(milliseconds).toBeGreaterThanOrEqual(1);
        expect(milliseconds).toBeLessThanOrEqual(50);
        if (state.stopped || state.gated || milliseconds === 1) return;
        const writtenBytes = (8 * milliseconds * state.growthBytesPerSecond) / 1000;
        expect(state.stagedBytes + writtenBytes).toBeLessThanOrEqual(pauseLevel(state));
      }),
      { numRuns: 1000 },
    );
  });
});
