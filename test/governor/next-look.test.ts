import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { pauseLevel } from '../../app/governor/decide.ts';
import { afterFreeMilliseconds, nextLookMilliseconds } from '../../app/governor/next-look.ts';
import { BUDGET, LEVEL, stateOf, states } from './states.ts';

describe('the time until the next look', () => {
  test('is 2 ms just after a stop, 1 ms behind the gate, 25 ms far from the budget', () => {
    expect(nextLookMilliseconds(stateOf({ stopped: true }), 0)).toBe(2);
    expect(nextLookMilliseconds(stateOf(), 0)).toBe(1);
    expect(nextLookMilliseconds(stateOf({ gated: false, growthBytesPerSecond: 0 }), 0)).toBe(25);
  });

  test('is 20 ms in a pause behind the gate until space is freed, 2 ms without it', () => {
    const later = { stopped: true, stoppedSeconds: 1 };
    expect(nextLookMilliseconds(stateOf({ ...later, gated: true }), 0)).toBe(20);
    expect(nextLookMilliseconds(stateOf({ ...later, gated: true }), 0.01)).toBe(40);
    expect(nextLookMilliseconds(stateOf({ ...later, gated: false }), 0)).toBe(2);
    expect([
      afterFreeMilliseconds(0),
      afterFreeMilliseconds(0.01),
      afterFreeMilliseconds(1),
    ]).toEqual([2, 40, 50]);
  });

  test('grows with slow looks, but not near the budget and not while a write waits', () => {
    const far = stateOf({ gated: false, growthBytesPerSecond: 0 });
    expect(nextLookMilliseconds(far, 0.01)).toBe(40);
    expect(nextLookMilliseconds(far, 1)).toBe(50);
    expect(nextLookMilliseconds(stateOf({ stopped: true, gated: true }), 0.01)).toBe(40);
    expect(nextLookMilliseconds(stateOf({ stopped: true, gated: false }), 0.01)).toBe(2);
    expect(nextLookMilliseconds(stateOf({ gated: true }), 0.01)).toBe(1);
    expect(nextLookMilliseconds(stateOf({ gated: false, stagedBytes: LEVEL }), 0.01)).toBe(1);
  });

  test('is 1 ms at and beyond the level', () => {
    const at = (stagedBytes: number) =>
      nextLookMilliseconds(stateOf({ gated: false, growthBytesPerSecond: 0, stagedBytes }), 1);
    expect(at(LEVEL)).toBe(1);
    expect(at(2 * BUDGET)).toBe(1);
  });

  test('is a whole number of 1 to 50 ms, with eight looks before the pause level', () => {
    fc.assert(
      fc.property(states, fc.double({ min: 0, max: 1, noNaN: true }), (state, lookSeconds) => {
        const milliseconds = nextLookMilliseconds(state, lookSeconds);
        expect(Number.isInteger(milliseconds)).toBe(true);
        expect(milliseconds).toBeGreaterThanOrEqual(1);
        expect(milliseconds).toBeLessThanOrEqual(50);
        if (state.stopped || milliseconds === 1) return;
        const writtenBytes = (8 * milliseconds * state.growthBytesPerSecond) / 1000;
        expect(state.stagedBytes + writtenBytes).toBeLessThanOrEqual(pauseLevel(state));
      }),
      { numRuns: 1000 },
    );
  });
});
