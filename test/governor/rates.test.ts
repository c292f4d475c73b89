import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fadingPeak, growthMeter } from '../../app/governor/rates.ts';

describe('a fading peak', () => {
  test('starts with what it is given and forgets nothing before the first reading', () => {
    const peak = fadingPeak(10, 8);
    expect(peak.value()).toBe(8);
    expect(peak.update(1, 1_000_000)).toBe(8);
  });

  test('rises at once and halves in its half-life', () => {
    const peak = fadingPeak(10);
    expect(peak.update(100, 0)).toBe(100);
    expect(peak.update(0, 10)).toBeCloseTo(50);
    expect(peak.update(0, 30)).toBeCloseTo(12.5);
    expect(peak.value()).toBeCloseTo(12.5);
    expect(peak.update(13, 30)).toBe(13);
  });

  test('fades by the time that passed, in however many readings it was looked at', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 50 }),
        (steps) => {
          const peak = fadingPeak(2);
          peak.update(1, 0);
          let time = 0;
          for (const step of steps) {
            time += step;
            peak.update(0, time);
          }
          expect(peak.value()).toBeCloseTo(0.5 ** (time / 2), 9);
        },
      ),
    );
  });

  test('is never below the present reading and does not grow when the clock goes back', () => {
    const peak = fadingPeak(1);
    peak.update(100, 10);
    expect(peak.update(0, 5)).toBe(100);
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            fc.double({ min: 0, max: 1e9, noNaN: true }),
            fc.double({ min: 0, max: 9, noNaN: true }),
          ),
        ),
        (readings) => {
          const meter = fadingPeak(3, 5);
          for (const [value, seconds] of readings)
            expect(meter.update(value, seconds)).toBeGreaterThanOrEqual(value);
        },
      ),
    );
  });
});

describe('the growth of a dump', () => {
  const FIRST_GUESS = growthMeter().update(0, 0, false);
  /** Long enough for the first guess to be forgotten. */
  const LONG = 200;

  /** A meter that has seen a steady rate until `LONG`. */
  function steady(bytesPerSecond: number) {
    const meter = growthMeter();
    for (let time = 0; time <= LONG; time += 1)
      meter.update(1 + time * bytesPerSecond, time, false);
    return meter;
  }

  test('is guessed high before anything was written, for as long as that takes', () => {
    expect(FIRST_GUESS).toBeGreaterThanOrEqual(100e6);
    const meter = growthMeter();
    for (let time = 0; time < 100; time += 0.5)
      expect(meter.update(0, time, false)).toBe(FIRST_GUESS);
  });

  test('becomes the measured rate', () => {
    expect(steady(1000).update(1 + (LONG + 1) * 1000, LONG + 1, false)).toBeCloseTo(1000);
  });

  test('remembers a burst for a while', () => {
    const meter = steady(1000);
    const afterBurst = 1 + LONG * 1000 + 50_000;
    expect(meter.update(afterBurst, LONG + 0.5, false)).toBeCloseTo(100_000);
    expect(meter.update(afterBurst, LONG + 2.5, false)).toBeCloseTo(50_000);
  });

  test('does not count the time during which mydumper was stopped', () => {
    const meter = steady(1000);
    const bytes = 1 + LONG * 1000;
    for (let time = LONG; time < LONG + 60; time += 0.5)
      expect(meter.update(bytes, time, true)).toBeCloseTo(1000);
    // 500 bytes within half a second since it was last seen stopped, not within a minute.
    expect(meter.update(bytes + 500, LONG + 60, false)).toBeCloseTo(1000);
  });

  test('does not count as running what was written until mydumper was seen stopped', () => {
    const meter = steady(1000);
    const bytes = 1 + LONG * 1000;
    expect(meter.update(bytes + 1e9, LONG + 1, true)).toBeCloseTo(1000);
    expect(meter.update(bytes + 1e9 + 1000, LONG + 2, false)).toBeCloseTo(1000);
  });

  test('adds the bytes of a window too short for a clock to the next window', () => {
    const meter = steady(1000);
    const bytes = 1 + LONG * 1000;
    expect(meter.update(bytes + 1000, LONG + 0.001, false)).toBeCloseTo(1000);
    expect(meter.update(bytes + 1000, LONG + 0.1, false)).toBeCloseTo(10_000);
  });

  test('is never negative', () => {
    const meter = growthMeter();
    meter.update(1000, 0, false);
    expect(meter.update(500, LONG, false)).toBeGreaterThanOrEqual(0);
  });
});
