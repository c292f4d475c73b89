import { expect, test } from 'vitest';
import { readOptions } from '../../bench/options.ts';
import { pausesIn } from '../../bench/pauses.ts';
import { balancedSize, cellName, planRound, referenceSize } from '../../bench/plan.ts';
import { sizedFor } from '../../bench/setting.ts';

const planOf = (...argv: string[]) => {
  const options = readOptions(argv);
  return options === 'help' ? [] : planRound(options).map(cellName);
};

test('options', () => {
  expect(readOptions([])).toMatchObject({
    sizesGb: [0.2, 1, 4],
    rounds: 3,
    bandwidths: ['unlimited', 'balanced', 20, 100],
    tls: false,
    out: 'docs/benchmarks.md',
  });
  expect(readOptions(['--quick'])).toMatchObject({
    sizesGb: [0.2],
    rounds: 1,
    out: 'bench-quick.md',
  });
  expect(readOptions(['--large'])).toMatchObject({ sizesGb: [0.2, 1, 4, 20] });
  expect(readOptions(['--sizes', '4,1', '--large'])).toMatchObject({ sizesGb: [1, 4, 20] });
  expect(readOptions(['--help'])).toBe('help');
});

test.each([
  ['--sizes', '0', /--sizes takes numbers above 0, not 0/],
  ['--rounds', 'many', /--rounds takes numbers/],
  ['--bandwidths', 'fast', /--bandwidths takes numbers/],
  ['--only', 'theirs', /--only takes .*not theirs/],
])('%s %s is refused', (flag, value, message) => {
  expect(() => readOptions([flag, value])).toThrow(message);
});

test('all run at the reference size, backups at each size up to 4 GB, then only growth', () => {
  const cells = planOf('--sizes', '0.2,1,4,20');
  expect(cells.filter((name) => name.includes('20 GB'))).toEqual([
    'mydumper-alone 20 GB unlimited',
    'ours-none 20 GB unlimited',
    'ours-zstd 20 GB unlimited',
  ]);
  expect(cells).toContain('mydumper-then-rclone 1 GB 100 MB/s');
  expect(cells).toContain('restore-ours 1 GB unlimited');
  expect(cells.filter((name) => name.includes(' 4 GB'))).toEqual([
    'mydumper-alone 4 GB unlimited',
    'upload-alone 4 GB unlimited',
    'ours-none 4 GB unlimited',
    'ours-zstd 4 GB unlimited',
    'stop-upload-resume 4 GB unlimited',
    'mydumper-then-aws 4 GB unlimited',
    'mydumper-then-rclone 4 GB unlimited',
    'mysqldump-zstd-aws 4 GB unlimited',
    'mydumper-alone 4 GB balanced',
    'ours-none 4 GB balanced',
    'stop-upload-resume 4 GB balanced',
    'mydumper-then-rclone 4 GB balanced',
  ]);
  expect(cells.some((name) => name.includes('TLS'))).toBe(false);
  expect(planOf('--quick', '--tls')).toContain('ours-none 0.2 GB unlimited TLS');
});

test('the fast cells come first, regardless of the order in the options', () => {
  const cells = planOf('--sizes', '1', '--bandwidths', '20,balanced,unlimited');
  expect(cells[0]).toBe('mydumper-alone 1 GB unlimited');
  expect(cells.indexOf('ours-none 1 GB balanced')).toBeLessThan(
    cells.indexOf('ours-none 1 GB 20 MB/s'),
  );
});

test('only some', () => {
  expect(planOf('--quick', '--only', 'restore-ours')).toEqual(['restore-ours 0.2 GB unlimited']);
});

test('the reference is the largest size up to 1 GB', () => {
  expect([referenceSize([0.2, 1, 4]), referenceSize([0.2]), referenceSize([0.1, 5, 0.3])]).toEqual([
    1, 0.2, 0.3,
  ]);
});

test('balanced is the largest size up to 4 GB', () => {
  expect([balancedSize([0.2, 1, 4, 20]), balancedSize([0.2]), balancedSize([5, 20])]).toEqual([
    4, 0.2, 5,
  ]);
});

test('the budget is a twentieth of the dump, a file a tenth of that', () => {
  expect(sizedFor(1)).toMatchObject({ budgetMiB: 48, chunkMiB: 4, database: 'bench_1' });
  expect(sizedFor(0.2)).toMatchObject({ budgetMiB: 10, chunkMiB: 1, database: 'bench_0_2' });
});

test('pauses are read from the log; the last may not have ended', () => {
  const at = (seconds: number) => new Date(1e12 + seconds * 1000).toISOString();
  const log = [
    'mydumper says something',
    `{"level":"INFO","event":"paused","timestamp":"${at(1)}"}`,
    `{"level":"INFO","event":"resumed","timestamp":"${at(2.5)}"}`,
    `{"level":"INFO","event":"progress","timestamp":"${at(3)}"}`,
    `{"level":"INFO","event":"paused","timestamp":"${at(4)}"}`,
  ].join('\n');
  expect(pausesIn(log, 1e12, 6)).toEqual([
    { fromSeconds: 1, toSeconds: 2.5 },
    { fromSeconds: 4, toSeconds: 6 },
  ]);
});
