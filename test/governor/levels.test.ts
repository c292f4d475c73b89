import { describe, expect, test } from 'vitest';
import {
  type GovernorState,
  gateLevel,
  needsNoStop,
  pauseLevel,
} from '../../app/governor/decide.ts';
import { BUDGET, BURST, LOCKED_LEVEL, MIB, stateOf } from './states.ts';

describe('the level at which mydumper is stopped', () => {
  const level = (state: Partial<GovernorState>) => pauseLevel(stateOf(state));

  test('behind the gate leaves two statements per thread, at any rate and delay', () => {
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

  test('without the gate adds the bytes of one and a half reaction times', () => {
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

test('behind the gate mydumper needs no stop while three statements per thread fit', () => {
  const at = (changes: Partial<GovernorState>) => needsNoStop(stateOf({ gated: true, ...changes }));
  expect(at({ stagedBytes: BUDGET - 3 * BURST })).toBe(true);
  expect(at({ stagedBytes: BUDGET - 3 * BURST + 1 })).toBe(false);
  expect(at({ stagedBytes: 0, gated: false })).toBe(false);
  // Large rows: two of each thread.
  expect(at({ stagedBytes: BUDGET - 20 * MIB, likelyBurstBytes: 10 * MIB })).toBe(true);
  expect(at({ stagedBytes: BUDGET - 20 * MIB + 1, likelyBurstBytes: 10 * MIB })).toBe(false);
});
