import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { measureStep } from '../../bench/measure.ts';
import { startSink } from '../../bench/sink/start.ts';
import { temporaryDirectory } from '../support/program.ts';
import { mebibyte, sampleBytes } from '../support/s3/test-setup.ts';
import { streamOf, testStore } from '../support/s3/test-store.ts';

const BESIDE = { database: process.pid, s3: process.pid };

function workDirectory(): string {
  const { path, remove } = temporaryDirectory('mf-bench-test');
  onTestFinished(remove);
  return path;
}

/** Spends a fifth of a second of a processor. */
const SPEND = 'while (process.cpuUsage().user < 2e5);';

test('a measured step has processor seconds by program, disk and memory', async () => {
  const directory = join(workDirectory(), 'watched');
  mkdirSync(directory);
  const script =
    `head -c 3000000 /dev/zero > "$1/file"; "$2" -e '${SPEND}'; rm "$1/file"; echo ` +
    `'{"event":"paused","timestamp":"2026-01-01T00:00:00Z"}'`;
  const argv = ['sh', '-c', script, 'sh', directory, process.execPath];
  const measured = await measureStep({ name: 'step', argv, directory }, BESIDE);
  expect(measured.cpuSeconds).toBeGreaterThanOrEqual(0.15);
  expect(measured.cpuByProgram.node).toBeGreaterThanOrEqual(0.1);
  expect(measured.peakDiskBytes).toBeGreaterThanOrEqual(3_000_000);
  expect(measured.peakResidentBytes).toBeGreaterThan(measured.rootPeakResidentBytes);
  expect(measured.wallSeconds).toBeGreaterThanOrEqual(0.15);
  expect(measured.pauses).toHaveLength(1);
  expect(measured.stdout).toContain('paused');
});

test('a step that fails is reported with its output', async () => {
  const step = {
    name: 'the copy',
    argv: ['sh', '-c', 'echo broken >&2; exit 3'],
    directory: workDirectory(),
  };
  await expect(measureStep(step, BESIDE)).rejects.toThrow(/^the copy ended with 3:[\s\S]*broken/);
});

test('the sink counts bodies and answers with checksums that the program accepts', async () => {
  const sink = await startSink();
  onTestFinished(() => sink.stop());
  const { store } = testStore(sink);
  const large = sampleBytes(12 * mebibyte + 7);
  await store.probe('folder/');
  const claim = Buffer.from('{}\n');
  await store.claim('folder/claim.json', claim);
  await store.upload('large', streamOf(large), 'text/plain');
  await store.upload('small', streamOf(sampleBytes(1000)), 'text/plain');
  const first = await sink.reset(undefined);
  expect(first.storedBytes).toBe(large.length + 1000 + claim.length);
  // Two requests for the probe and two for the claim. Then one to begin, three parts and one to
  // complete. One more for the small file.
  expect(first.requests).toBe(10);
  expect(await sink.reset(undefined)).toEqual({ storedBytes: 0, requests: 0 });
});
