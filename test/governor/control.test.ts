import { expect, test } from 'vitest';
import { createControl } from '../../app/governor/control.ts';
import { createPauseBook } from '../../app/governor/pause-book.ts';
import { createStepMeter } from '../../app/governor/steps.ts';
import { BUDGET, BURST, MIB, stateOf } from './states.ts';

/** Control over a mydumper that obeys at once. */
function controlOf() {
  const signals: string[] = [];
  const steps = createStepMeter();
  let shut = false;
  let dumpedBytes = 0;
  const control = createControl({
    start: { budgetBytes: BUDGET, burstBytes: BURST },
    group: {
      id: () => 1,
      isRunning: () => true,
      hasEnded: () => false,
      started: () => {},
      ended: () => {},
      members: () => [],
      refresh: () => true,
      openFiles: () => new Set(),
      signal: (signal) => signals.push(signal),
    },
    gate: {
      shut: () => {
        shut = true;
      },
      open: () => {
        shut = false;
      },
      isShut: () => shut,
      end: () => {},
    },
    pauses: createPauseBook(false),
    steps,
    send: () => {},
    now: () => 0,
    dumpedBytes: () => dumpedBytes,
  });
  return {
    control,
    steps,
    signals,
    isShut: () => shut,
    write: (bytes: number) => {
      dumpedBytes += bytes;
    },
  };
}

const NEAR = stateOf({ stagedBytes: BUDGET - 3 * BURST, shippableBytes: BUDGET / 2 });
const FAR = stateOf({ stagedBytes: 10 * MIB, shippableBytes: 5 * MIB });

test('what a step brings is measured from one stop at the gate to the next', () => {
  const { control, steps, write, signals } = controlOf();
  control.apply(NEAR, true);
  expect(signals).toEqual(['SIGCONT']);
  write(MIB);
  control.endStep();
  expect(steps.largestBytes()).toBe(MIB);
});

test('opening the gate ends a step: later writes do not count', () => {
  const { control, steps, write, isShut } = controlOf();
  control.apply(NEAR, true);
  write(2 * MIB);
  control.apply(FAR, false);
  expect(isShut()).toBe(false);
  write(50 * MIB);
  control.apply(NEAR, false);
  expect(isShut()).toBe(true);
  control.endStep();
  expect(steps.largestBytes()).toBe(2 * MIB);
});
