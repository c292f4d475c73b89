import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Decision,
  decide,
  type GovernorState,
  MAXIMUM_LOCKED_STOP_SECONDS,
} from '../../app/governor/decide.ts';
import { BUDGET, BURST, LEVEL, LOCKED_LEVEL, stateOf, states } from './states.ts';

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

test('a failure names the staged bytes and the budget', () => {
  expect(decide(stateOf({ stagedBytes: BUDGET })).reason).toContain(`${BUDGET} of ${BUDGET} bytes`);
});

describe('in any state', () => {
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

  test('only a stopped mydumper resumes, and only a running one keeps running', () => {
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

  test('a resumed mydumper is not paused again in the same state', () => {
    holds((state, { action }) => {
      if (action === 'resume') expect(decide({ ...state, stopped: false }).action).toBe('run');
    });
  });
});
