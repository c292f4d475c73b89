import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decide,
  type GovernorState,
  MAXIMUM_LOCKED_STOP_SECONDS,
  pauseLevel,
} from '../../app/governor/decide.ts';
import { planBudget } from '../../app/governor/feasibility.ts';
import { type Scenario, simulate } from './simulate.ts';

const MIB = 1024 * 1024;

const scenarios = fc
  .record({
    budgetMiB: fc.integer({ min: 1, max: 96 }),
    threads: fc.integer({ min: 1, max: 8 }),
    chunkMiB: fc.integer({ min: 1, max: 64 }),
    generation: fc.constantFrom('classic' as const, 'modern' as const),
    compressed: fc.boolean(),
    punching: fc.boolean(),
    dumpRates: fc.array(fc.integer({ min: 1, max: 350 }), { minLength: 1, maxLength: 4 }),
    networkRates: fc.array(fc.constantFrom(0, 0, 1, 5, 20, 100, 1000), {
      minLength: 1,
      maxLength: 8,
    }),
    statementShares: fc.array(fc.double({ min: 0.05, max: 1, noNaN: true }), {
      minLength: 1,
      maxLength: 9,
    }),
    stallSeconds: fc.array(fc.constantFrom(0, 0, 0, 0.002, 0.02, 0.1), {
      minLength: 1,
      maxLength: 9,
    }),
    lookSeconds: fc.constantFrom(0, 0.001, 0.01),
    concurrency: fc.integer({ min: 1, max: 6 }),
    timesBudget: fc.integer({ min: 2, max: 8 }),
  })
  .map((drawn): Scenario | undefined => {
    const budgetBytes = drawn.budgetMiB * MIB;
    const compression = drawn.compressed ? 'zstd' : 'none';
    const { generation, punching } = drawn;
    const plan = planBudget(
      { threads: drawn.threads, chunkMiB: drawn.chunkMiB, partBytes: 8 * MIB },
      { budgetBytes, generation, compression, punching },
    );
    if (plan === undefined) return undefined;
    return {
      ...drawn,
      plan,
      budgetBytes,
      hasGate: true,
      totalBytes: drawn.timesBudget * budgetBytes,
      dumpRates: drawn.dumpRates.map((rate) => rate * 1e6),
      networkRates: [...drawn.networkRates, 10].map((rate) => rate * 1e6),
      patienceSeconds: 300,
    };
  })
  .filter((scenario) => scenario !== undefined);

describe('a simulated dump through a simulated network', () => {
  test('never holds more than the budget, never gets stuck, and arrives', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const { finished, fault, peakStagedBytes } = simulate(scenario);
        expect({ finished, fault }).toEqual({ finished: true, fault: undefined });
        expect(peakStagedBytes).toBeLessThanOrEqual(scenario.budgetBytes);
      }),
      { numRuns: 300 },
    );
  });

  test('does not flap: after a resume for room, mydumper writes a fair share of the budget', () => {
    fc.assert(
      fc.property(scenarios, (scenario) => {
        const { leastRunBytes } = simulate(scenario);
        expect(leastRunBytes).toBeGreaterThanOrEqual(scenario.budgetBytes / 8);
      }),
      { numRuns: 200 },
    );
  });

  test('is not stopped when the network is faster than the dump and the budget generous', () => {
    fc.assert(
      fc.property(scenarios, (drawn) => {
        const budgetBytes = 512 * MIB;
        const scenario = {
          ...drawn,
          budgetBytes,
          totalBytes: 4 * budgetBytes,
          networkRates: [Math.max(...drawn.dumpRates) * 2],
          plan: { ...drawn.plan, chunkMiB: Math.min(drawn.plan.chunkMiB, 8) },
        };
        expect(simulate(scenario).pauses).toBe(0);
      }),
      { numRuns: 100 },
    );
  });

  test('reads now and then however long the network stands still', () => {
    fc.assert(
      fc.property(scenarios, (drawn) => {
        const standstill = Array.from({ length: 30 }, () => 0);
        const networkRates = [...drawn.networkRates.map((rate) => rate + 1e6), ...standstill, 50e6];
        const { fault, peakStagedBytes, longestSilenceSeconds } = simulate({
          ...drawn,
          networkRates,
          patienceSeconds: 40,
        });
        expect(fault).toBeUndefined();
        expect(peakStagedBytes).toBeLessThanOrEqual(drawn.budgetBytes);
        expect(longestSilenceSeconds).toBeLessThan(41);
      }),
      { numRuns: 100 },
    );
  });
});

describe('while mydumper holds locks', () => {
  const locked = (
    stopped: boolean,
    lockedStopSeconds: number,
    stagedBytes: number,
  ): GovernorState => ({
    budgetBytes: 100 * MIB,
    stagedBytes,
    shippableBytes: stagedBytes,
    growthBytesPerSecond: 100e6,
    reactionSeconds: 0.005,
    burstBytes: 4 * MIB,
    likelyBurstBytes: 4 * MIB,
    gated: true,
    stopped,
    stoppedSeconds: lockedStopSeconds,
    patienceSeconds: 300,
    locked: true,
    lockedStopSeconds,
  });

  test('stops mydumper only when the budget is full, within the allowed time', () => {
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.double({ min: 0, max: 60, noNaN: true }),
        fc.integer({ min: 0, max: 100 * MIB }),
        (stopped, seconds, stagedBytes) => {
          const state = locked(stopped, seconds, stagedBytes);
          const { action } = decide(state);
          const isFull = stagedBytes >= pauseLevel(state);
          if (stopped && seconds >= MAXIMUM_LOCKED_STOP_SECONDS)
            expect(action).toBe(isFull ? 'fail' : 'resume');
          else if (!stopped && stagedBytes < pauseLevel(state)) expect(action).toBe('run');
          else if (!stopped) expect(action).toBe('pause');
        },
      ),
    );
  });
});
