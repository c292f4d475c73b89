import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createWriteGate, type WriteGate } from '../../app/governor/write-gate.ts';
import { allStopped } from '../../app/staging/process-files.ts';
import { temporaryDirectory } from '../support/program.ts';

const WRITER = fileURLToPath(new URL('../support/threaded-writer.ts', import.meta.url));
const THREADS = 3;
const WRITE_BYTES = 64 * 1024;
const WRITES = 400;

let directory: { path: string; remove: () => void };
let writer: ChildProcess;
let gate: WriteGate | undefined;

beforeEach(async () => {
  directory = temporaryDirectory('mf-gate');
  const argv = [WRITER, directory.path, THREADS, WRITE_BYTES, WRITES].map(String);
  writer = spawn('setpriv', ['--pdeathsig', 'KILL', '--', process.execPath, ...argv], {
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  if (writer.stdout === null) throw new Error('no standard output');
  await once(writer.stdout, 'data');
});

afterEach(() => {
  gate?.end();
  writer.kill('SIGKILL');
  directory.remove();
});

const pid = () => writer.pid ?? 0;
const begin = () => writer.stdin?.write('begin\n');
const goOn = () => process.kill(-pid(), 'SIGCONT');
const stopped = () =>
  vi.waitFor(() => expect(allStopped([pid()])).toBe(true), { timeout: 20_000, interval: 1 });

function writtenBytes(): number {
  return readdirSync(directory.path).reduce(
    (sum, name) => sum + lstatSync(join(directory.path, name)).size,
    0,
  );
}

/** Keeps this thread from doing anything, as a busy machine might. */
function stall(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function shutGate(): WriteGate {
  gate = createWriteGate(directory.path);
  if (gate === undefined) throw new Error('no directory notification here');
  gate.shut([pid()]);
  return gate;
}

test('behind the gate each thread finishes at most one write without any look', async () => {
  shutGate();
  begin();
  stall(300);
  await stopped();
  let before = 0;
  for (let step = 0; step < 20; step += 1) {
    const written = writtenBytes();
    expect(written).toBeGreaterThan(before);
    expect(written - before).toBeLessThanOrEqual(THREADS * WRITE_BYTES);
    before = written;
    goOn();
    stall(step % 4);
    await stopped();
  }
});

test('continued while it is stopping, only one thread makes a third write', async () => {
  shutGate();
  begin();
  await stopped();
  for (let step = 0; step < 20; step += 1) {
    goOn();
    stall(step % 3);
    const seen = writtenBytes();
    goOn();
    stall(2);
    await stopped();
    expect(writtenBytes() - seen).toBeLessThanOrEqual((2 * THREADS + 1) * WRITE_BYTES);
  }
});

test('with the gate opened again it writes to its end', async () => {
  const { open, isShut } = shutGate();
  begin();
  await stopped();
  expect(isShut()).toBe(true);
  open();
  expect(isShut()).toBe(false);
  const ended = once(writer, 'exit');
  goOn();
  await ended;
  expect(writtenBytes()).toBe(THREADS * WRITES * WRITE_BYTES);
});

test('a gate that has ended stops no process', async () => {
  const { end } = shutGate();
  end();
  const ended = once(writer, 'exit');
  begin();
  await ended;
  expect(writtenBytes()).toBe(THREADS * WRITES * WRITE_BYTES);
});
