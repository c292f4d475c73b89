import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { reportWrites } from '../../app/governor/write-events.ts';
import { temporaryDirectory } from '../support/program.ts';

const WAIT = { timeout: 20_000, interval: 1 };

test('a write is reported, and none after the end', async () => {
  const { path, remove } = temporaryDirectory('mf-events');
  onTestFinished(remove);
  const onWrite = vi.fn();
  const end = reportWrites(path, onWrite);
  onTestFinished(end);
  const file = join(path, 'db.t.sql');
  writeFileSync(file, 'rows');
  await vi.waitFor(() => expect(onWrite).toHaveBeenCalled(), WAIT);
  await sleep(20);
  onWrite.mockClear();
  renameSync(file, `${file}.other`);
  await sleep(20);
  expect(onWrite).not.toHaveBeenCalled();
  appendFileSync(`${file}.other`, 'more');
  await vi.waitFor(() => expect(onWrite).toHaveBeenCalled(), WAIT);
  end();
  await sleep(20);
  onWrite.mockClear();
  appendFileSync(`${file}.other`, 'more');
  rmSync(`${file}.other`);
  await sleep(20);
  expect(onWrite).not.toHaveBeenCalled();
});

test('a directory that cannot be watched is no error: it is only a hint', () => {
  expect(() => reportWrites('/nowhere/at/all', () => {})()).not.toThrow();
});
