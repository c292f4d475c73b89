import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  decide,
  type GovernorState,
  gateLevel,
  MAXIMUM_LOCKED_STOP_SECONDS,
  needsNoStop,
  pauseLevel,
} from '../../app/governor/decide.ts';
import { BUDGET, BURST, LEVEL, LOCKED_LEVEL, MIB, stateOf, states } from './states.ts';

type Case = readonly [
  title: string,
  state: Partial<GovernorState>,
  Decision['action'],
  reason: RegExp,
];

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
  [
    'nothing is finished at the level',
    { stagedBytes: LEVEL },
    'run',
    /nothing finished.*room for more/,
  ],
  [
    'nothing is finished and the last burst fits',
    { stagedBytes: BUDGET - BURST },
    'run',
    /room for more/,
  ],
  [
    'nothing is finished and no burst fits',
    full,
    'fail',
    /STAGING_LIMIT_MB.*THREADS.*CHUNK_FILE_SIZE_MB/,
  ],
  [
    'locks are held and one more statement of each thread fits',
    { locked: true, stagedBytes: LOCKED_LEVEL - 1, ...toShip, likelyBurstBytes: BUDGET },
    'run',
    /has room/,
  ],
  [
    'locks are held and the whole budget is used',
    { locked: true, stagedBytes: LOCKED_LEVEL, ...toShip },
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
  [
    'nothing is left to ship and no burst fits',
    full,
    'fail',
    /nothing can be shipped.*STAGING_LIMIT_MB/,
  ],
  [
    'patience is nearly over',
    { stagedBytes: LEVEL, ...toShip, stoppedSeconds: 299.9 },
    'pause',
    /waiting for uploads/,
  ],
  [
    'patience is over',
    { stagedBytes: LEVEL, ...toShip, stoppedSeconds: 300 },
    'breathe',
    /patience/,
  ],
  [
    'patience is over and no burst fits',
    { ...full, ...toShip, stoppedSeconds: 1e6 },
    'pause',
    /waiting/,
  ],
  [
    'locks are held for less than is allowed',
    {
      locked: true,
      stagedBytes: LOCKED_LEVEL,
      ...toShip,
      lockedStopSeconds: MAXIMUM_LOCKED_STOP_SECONDS - 0.01,
    },
    'pause',
    /waiting for uploads/,
  ],
  [
    'locks are held for as long as is allowed',
    {
      locked: true,
      stagedBytes: LOCKED_LEVEL,
      ...toShip,
      lockedStopSeconds: MAXIMUM_LOCKED_STOP_SECONDS,
    },
    'fail',
    /writers have waited 10 seconds.*STAGING_LIMIT_MB.*LOCK_MODE/,
  ],
  [
    'locks are held for as long as is allowed, but there is room by now',
    {
      locked: true,
      stagedBytes: LOCKED_LEVEL - 1,
      ...toShip,
      lockedStopSeconds: MAXIMUM_LOCKED_STOP_SECONDS,
    },
    'resume',
    /room again/,
  ],
  [
    'locks are held and a tenth of the level is free',
    { locked: true, stagedBytes: 0.9 * LOCKED_LEVEL, ...toShip },
    'resume',
    /room again/,
  ],
  [
    'locks are held, patience is over and no burst fits',
    {
      locked: true,
      ...full,
      ...toShip,
      stoppedSeconds: 3,
      patienceSeconds: 3,
      lockedStopSeconds: 4,
    },
    'fail',
    /no further statement fits, and writers have waited 4 seconds/,
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

  test('leaves room for no more than a statement of each thread while locks are held', () => {
    expect(level({ locked: true, likelyBurstBytes: BUDGET })).toBe(LOCKED_LEVEL);
    expect(level({ locked: true, gated: false, growthBytesPerSecond: 1e12 })).toBe(
      BUDGET / 2 - BURST,
    );
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
    expect(gateLevel(stateOf({ budgetBytes, growthBytesPerSecond }))).toBe(
      budgetBytes - BURST - 100 * MIB,
    );
  });

  test('allows for a sudden burst of a mydumper that was slow until now', () => {
    expect(gateLevel(stateOf({ growthBytesPerSecond: 0 }))).toBe(BUDGET - BURST - 32 * MIB);
  });

  test('shuts the gate of a small budget from the first byte on', () => {
    expect(gateLevel(stateOf({ budgetBytes: 10 * MIB }))).toBeLessThanOrEqual(0);
  });
});

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
      expect(
        state.stopped ? ['pause', 'resume', 'breathe', 'fail'] : ['run', 'pause', 'fail'],
      ).toContain(action);
    });
  });

  test('nothing fails while something can be shipped and no locks are held', () => {
    holds((state, { action }) => {
      if (state.shippableBytes > 0 && !state.locked) expect(action).not.toBe('fail');
    });
  });

  test('what fails while locks are held has the whole budget used', () => {
    holds((state, { action }) => {
      if (action !== 'fail' || !state.gated) return;
      expect(state.stagedBytes + state.burstBytes).toBeGreaterThanOrEqual(state.budgetBytes);
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

test('behind the gate mydumper goes on before it has stopped where three statements of each thread still fit', () => {
  const at = (changes: Partial<GovernorState>) => needsNoStop(stateOf({ gated: true, ...changes }));
  expect(at({ stagedBytes: BUDGET - 3 * BURST })).toBe(true);
  expect(at({ stagedBytes: BUDGET - 3 * BURST + 1 })).toBe(false);
  expect(at({ stagedBytes: 0, gated: false })).toBe(false);
  // Large rows: two of each thread.
  expect(at({ stagedBytes: BUDGET - 20 * MIB, likelyBurstBytes: 10 * MIB })).toBe(true);
  expect(at({ stagedBytes: BUDGET - 20 * MIB + 1, likelyBurstBytes: 10 * MIB })).toBe(false);
});
