import { expect, test } from 'vitest';
import { placeOf, secondsByFunction, secondsByPlace } from '../../bench/cpu-profile.ts';
import { chosen, renderSweep, type SweepPoint } from '../../bench/sweep-report.ts';

const point = (value: number, wallSeconds: readonly number[], isDefault = false): SweepPoint => ({
  setting: 'PART_SIZE_MB',
  value,
  isDefault,
  compression: 'none',
  bandwidth: 'unlimited',
  wallSeconds,
  movingCpuSeconds: wallSeconds,
  residentBytes: wallSeconds.map(() => 2e8),
  storedBytes: 1e9,
  peakDiskBytes: 5e7,
});

test('the default stays unless a value is faster by more than 5 % and the spread', () => {
  expect(chosen([point(8, [10, 11, 12], true), point(5, [10.5, 10.6, 10.7])])?.value).toBe(8);
  expect(chosen([point(8, [10, 11, 12], true), point(5, [9, 9.5, 10.5])])?.value).toBe(8);
  expect(chosen([point(8, [10, 11, 12], true), point(5, [8, 8.5, 9])])?.value).toBe(5);
  expect(chosen([point(8, [10], true), point(5, [5])])?.value).toBe(8);
});

test('the sweep names what was chosen', () => {
  const about = { date: '2026-11-27', command: 'x', sizeGb: 1, budgetBytes: 5e7, loadBefore: 0 };
  const stays = renderSweep({ ...about, points: [point(8, [10], true), point(5, [10])] });
  expect(stays).toContain('| PART_SIZE_MB, none, S3 unlimited | 8 (default) ✓ |');
  expect(stays).toContain('No value was clearly faster than the default.');
  const changes = renderSweep({ ...about, points: [point(8, [10, 10], true), point(5, [5, 5])] });
  expect(changes).toContain(
    '- PART_SIZE_MB, none, S3 unlimited: 5 was clearly faster than the default',
  );
});

const frame = (functionName: string, url: string) => ({ functionName, url, lineNumber: 0 });

test('time counts for its place in the source, time in native functions for their callers', () => {
  const profile = {
    nodes: [
      { id: 1, callFrame: frame('(root)', ''), children: [2, 4, 5] },
      {
        id: 2,
        callFrame: frame('scan', 'file:///somewhere/app/staging/tracker.ts'),
        children: [3],
      },
      { id: 3, callFrame: frame('readdir', '') },
      { id: 4, callFrame: frame('update', 'node:internal/crypto/hash') },
      { id: 5, callFrame: frame('(idle)', '') },
    ],
    samples: [2, 3, 4, 5],
    timeDeltas: [0, 1e6, 2e6, 3e6],
  };
  expect(secondsByPlace(profile)).toEqual({
    'scanning and watching': 3,
    'hashing (SHA-256, CRC-32)': 3,
    idle: 0,
  });
  expect(secondsByFunction(profile)[0]).toEqual(['update node:internal/crypto/hash:1', 3]);
});

test.each([
  ['update', 'node:internal/crypto/hash', 'hashing (SHA-256, CRC-32)'],
  ['crc32', 'node:zlib', 'hashing (SHA-256, CRC-32)'],
  ['processCallback', 'node:zlib', 'compression'],
  ['send', 'file:///x/node_modules/@smithy/core/dist-cjs/index.js', 'AWS SDK'],
  ['writeGeneric', 'node:internal/stream_base_commons', 'HTTP, sockets'],
  ['look', 'file:///x/app/governor/watch.worker.ts', 'scanning and watching'],
  ['uploadBody', 'file:///x/app/storage/upload.ts', 'our shipping'],
  ['anything', '', undefined],
])('%s of %s is %s', (functionName, url, place) => {
  expect(placeOf(frame(functionName, url))).toBe(place);
});
