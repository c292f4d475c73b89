import { expect, test } from 'vitest';
import { type GoalId, isMet } from '../../bench/goal.ts';
import { goalsOf } from '../../bench/goals.ts';
import { floorOnShareLeft } from '../../bench/goals-by-size.ts';
import { drawPlots } from '../../bench/plots.ts';
import { renderReport } from '../../bench/report.ts';
import { results, sample } from './samples.ts';

const goal = (id: GoalId, samples: Parameters<typeof results>[0]) => {
  const found = goalsOf(results(samples)).find((each) => each.id === id);
  return { measured: found?.measured, met: found === undefined ? undefined : isMet(found) };
};

test('without samples nothing is met and nothing missed', () => {
  for (const each of goalsOf(results([]))) expect(isMet(each)).toBeUndefined();
});

test('floor A is stretched by the processors that shipping and S3 take', () => {
  const alone = [
    sample({
      alternative: 'mydumper-alone',
      wallSeconds: 10,
      cpuSeconds: 8,
      databaseCpuSeconds: 8,
    }),
  ];
  const ours = [
    sample({ alternative: 'ours-none', wallSeconds: 20, movingCpuSeconds: 16, s3CpuSeconds: 4 }),
  ];
  expect(floorOnShareLeft(alone, ours, 2)).toEqual({ seconds: 16, processors: 1 });
  // A dump that leaves processors idle loses nothing.
  const idle = [
    sample({
      alternative: 'mydumper-alone',
      wallSeconds: 10,
      cpuSeconds: 2,
      databaseCpuSeconds: 2,
    }),
  ];
  expect(floorOnShareLeft(idle, ours, 2)?.seconds).toBe(10);
  expect(floorOnShareLeft([], ours, 2)).toBeUndefined();
});

test('ratios are of medians, and of the faster copy', () => {
  const samples = [
    sample({ alternative: 'ours-none', wallSeconds: 6 }),
    sample({ alternative: 'ours-none', wallSeconds: 5, round: 2 }),
    sample({ alternative: 'ours-none', wallSeconds: 30, round: 3 }),
    sample({ alternative: 'mydumper-then-aws', wallSeconds: 20 }),
    sample({ alternative: 'mydumper-then-rclone', wallSeconds: 12 }),
  ];
  expect(goal('against-copy', samples)).toEqual({ measured: 0.5, met: true });
});

test('the slowest bandwidth is the one where the network is the limit', () => {
  const slow = (
    alternative: 'ours-none' | 'ours-zstd' | 'upload-alone',
    wallSeconds: number,
    storedBytes = 1e9,
  ) => sample({ alternative, wallSeconds, storedBytes, bandwidth: 20, bytesPerSecond: 20e6 });
  const samples = [
    slow('ours-none', 53),
    slow('upload-alone', 50),
    slow('ours-zstd', 12, 2e8),
    sample({ alternative: 'ours-none', wallSeconds: 11, bandwidth: 100, bytesPerSecond: 100e6 }),
  ];
  expect(goal('network-bound-none', samples)).toEqual({ measured: 1.06, met: false });
  expect(goal('network-bound-zstd', samples).measured).toBeCloseTo(1.2);
});

test('what grows as a line does is linear; what does not is not', () => {
  const at = (sizeGb: number, wallSeconds: number) =>
    sample({ alternative: 'ours-none', sizeGb, dumpedBytes: sizeGb * 1e9, wallSeconds });
  expect(goal('linear', [at(1, 3), at(2, 5), at(3, 7)]).met).toBe(true);
  expect(goal('linear', [at(1, 3), at(2, 9), at(3, 7)]).met).toBe(false);
  expect(goal('linear', [at(1, 3), at(2, 5)]).met).toBeUndefined();
});

test('the report holds every goal with its mark, and the gap of those that are missed', () => {
  const text = renderReport({
    results: results([
      sample({ alternative: 'ours-none', moverResidentBytes: 300 * 1024 ** 2 }),
      sample({
        alternative: 'stop-upload-resume',
        bandwidth: 'balanced',
        wallSeconds: 20,
        bytesPerSecond: 1e8,
      }),
      sample({
        alternative: 'ours-none',
        bandwidth: 'balanced',
        wallSeconds: 10,
        bytesPerSecond: 1e8,
      }),
    ]),
    plots: [{ file: 'benchmarks/wall.svg', title: 'Wall' }],
    sweep: undefined,
    profile: undefined,
  });
  expect(text).toContain('| ✓ | Dump and network balanced: stop-upload-resume ÷ ours');
  expect(text).toMatch(/\| ✗ \| Peak resident memory.*\| ≤ 250 MiB \| 300 MiB \|/);
  expect(text).toMatch(/^- \*\*Peak resident memory.*: 300.00 MiB instead of ≤ 250 MiB\./m);
  expect(text).toContain('![Wall](benchmarks/wall.svg)');
  expect(text).toContain('### 1 GB, S3 and database 100 MB/s each (balanced)');
});

test('plots are drawn as far as there is something to draw', () => {
  expect(drawPlots(results([]))).toEqual([]);
  const moments = [0, 1, 2].map((seconds) => ({ seconds, diskBytes: seconds * 1e6 }));
  const drawn = drawPlots(
    results([
      sample({
        alternative: 'ours-none',
        bandwidth: 'balanced',
        bytesPerSecond: 1e8,
        budgetBytes: 48 * 1024 ** 2,
        timeline: moments,
        pauses: [{ fromSeconds: 0.5, toSeconds: 1 }],
      }),
    ]),
  );
  expect(drawn.map(({ name }) => name)).toEqual(['staged-ours.svg', 'wall.svg']);
  for (const { svg } of drawn) expect(svg).toMatch(/^<svg [^"]*("[^"]*"[^"]*)*<\/svg>$/s);
});
