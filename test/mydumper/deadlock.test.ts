import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { arch } from 'node:os';
import { setImmediate as later } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { waitsForItself, watchForDeadlock } from '../../app/mydumper/deadlock.ts';
import { allStopped } from '../../app/staging/process-files.ts';

const WAIT = { timeout: 20_000, interval: 5 };
/** futex(2) by number, as Perl has no name for it. */
const FUTEX = arch() === 'arm64' ? 98 : 202;
const WAIT_FOR_EVER = `my $word = pack 'i', 0; syscall(${FUTEX}, $word, 0, 0, 0);`;
/** A script that waits for ever in four threads. */
const FOUR_THREADS = `
import threading
lock = threading.Lock()
lock.acquire()
for _ in range(3): threading.Thread(target=lock.acquire).start()
lock.acquire()
`;

const started: number[] = [];

function start(command: string, ...argv: readonly string[]): number {
  const { pid } = spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...argv], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  if (pid === undefined) throw new Error(`${command} was not started`);
  started.push(pid);
  return pid;
}

/** The system calls in which the threads of a process are. */
function callsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'latin1').trim().split(' ', 1).join(),
  );
}

const runs = (pid: number, command: string) =>
  vi.waitFor(() => expect(readFileSync(`/proc/${pid}/comm`, 'utf8').trim()).toBe(command), WAIT);
const waiting = (pid: number) => vi.waitFor(() => expect(waitsForItself(pid)).toBe(true), WAIT);

async function startDeadlocked(): Promise<number> {
  const pid = start('perl', '-e', WAIT_FOR_EVER);
  await waiting(pid);
  return pid;
}

afterEach(() => {
  for (const pid of started.splice(0)) process.kill(-pid, 'SIGKILL');
});

describe('waits for itself:', () => {
  test('a process that waits for a lock that is never released', async () => {
    await startDeadlocked();
  });

  test('a process with such a wait in every thread', async () => {
    const pid = start('python3', '-c', FOUR_THREADS);
    await vi.waitFor(
      () => expect(callsOf(pid)).toEqual(Array.from({ length: 4 }, () => `${FUTEX}`)),
      WAIT,
    );
    expect(waitsForItself(pid)).toBe(true);
  });
});

describe('does not wait for itself:', () => {
  test('a process that sleeps', async () => {
    const pid = start('sleep', '1000');
    await runs(pid, 'sleep');
    await vi.waitFor(() => expect(callsOf(pid)).not.toContain('running'), WAIT);
    expect(waitsForItself(pid)).toBe(false);
  });

  test('one that reads', async () => {
    const pid = start('cat');
    await runs(pid, 'cat');
    await vi.waitFor(() => expect(callsOf(pid)).toEqual([arch() === 'arm64' ? '63' : '0']), WAIT);
    expect(waitsForItself(pid)).toBe(false);
  });

  test('one that computes', async () => {
    const pid = start('sh', '-c', 'while :; do :; done');
    await runs(pid, 'sh');
    await vi.waitFor(() => expect(callsOf(pid)).toEqual(['running']), WAIT);
    expect(waitsForItself(pid)).toBe(false);
  });

  test('a process with one thread that does not wait for another thread', async () => {
    // Node's timer thread polls; main thread, pool and V8's own threads wait.
    const script = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)';
    const pid = start(process.execPath, '-e', script);
    await vi.waitFor(() => {
      const calls = callsOf(pid);
      const others = calls.filter((call) => call !== `${FUTEX}`);
      expect(calls.length).toBeGreaterThan(2);
      expect(others).toHaveLength(1);
    }, WAIT);
    expect(waitsForItself(pid)).toBe(false);
  });

  test('a stopped process, since this program stops it', async () => {
    const pid = await startDeadlocked();
    process.kill(pid, 'SIGSTOP');
    await vi.waitFor(() => expect(allStopped([pid])).toBe(true), WAIT);
    expect(waitsForItself(pid)).toBe(false);
    process.kill(pid, 'SIGCONT');
    await waiting(pid);
  });

  test('one that is gone', async () => {
    const child = spawn('true');
    await once(child, 'exit');
    expect(waitsForItself(child.pid ?? 0)).toBe(false);
  });
});

describe('a deadlock is reported', () => {
  let pid: number;
  const onDeadlock = vi.fn();

  beforeEach(async () => {
    pid = await startDeadlocked();
    onDeadlock.mockClear();
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('when it has lasted for six seconds, once', () => {
    watchForDeadlock(pid, onDeadlock);
    vi.advanceTimersByTime(5999);
    expect(onDeadlock).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(onDeadlock).toHaveBeenCalledTimes(1);
  });

  test('not for interrupted waits that add up to six seconds', async () => {
    watchForDeadlock(pid, onDeadlock);
    for (let round = 0; round < 3; round += 1) {
      vi.advanceTimersByTime(5500);
      process.kill(pid, 'SIGSTOP');
      while (!allStopped([pid])) await later();
      vi.advanceTimersByTime(500);
      process.kill(pid, 'SIGCONT');
      while (!waitsForItself(pid)) await later();
    }
    expect(onDeadlock).not.toHaveBeenCalled();
  });

  test('not after the watch has ended', () => {
    watchForDeadlock(pid, onDeadlock)();
    vi.advanceTimersByTime(60_000);
    expect(onDeadlock).not.toHaveBeenCalled();
  });
});
