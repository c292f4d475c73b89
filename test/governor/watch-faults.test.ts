import { lstatSync, mkdirSync, readdirSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { groupMembers, readProcess } from '../../app/staging/process-files.ts';
import type { FakeStep } from '../support/fake-mydumper.ts';
import { sampleDirectory } from '../support/sampler.ts';
import { WAIT, watchStaging } from '../support/watched-staging.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const KILLED = { code: null, signal: 'SIGKILL' };
const forEver: FakeStep = { sleepMilliseconds: 1_000_000 };
const file = (name: string, text = name): FakeStep[] => [{ write: name, text }, { close: name }];
/** 40 files of 512 KiB each, into a budget of 8 MiB. */
const MORE_THAN_FITS = { threads: 1, files: 40, writes: 8, bytes: 64 * KIB };

const isStopped = (pid: number) =>
  vi.waitFor(() => expect(readProcess(pid)?.state).toBe('T'), WAIT);

describe('mydumper is killed and the run fails', () => {
  test('when the budget is full of files it has not finished', async () => {
    const budgetBytes = 4 * MIB;
    const world = await watchStaging({ budgetBytes });
    const sampler = sampleDirectory(world.directory);
    onTestFinished(sampler.stop);
    const mydumper = await world.writeFiles({
      threads: 2,
      files: 1,
      writes: 1000,
      bytes: 64 * KIB,
    });
    const failure = await world.hasFailed();
    expect(failure?.kind).toBe('staging');
    expect(failure?.message).toMatch(/files mydumper has not finished.*STAGING_LIMIT_MB/);
    expect(await mydumper.exited).toEqual(KILLED);
    expect(sampler.peakBytes()).toBeLessThanOrEqual(budgetBytes);
    await expect(world.watch.drain()).rejects.toBe(failure);
    await expect(world.watch.lease('1:1')).rejects.toBe(failure);
  });

  test('when a file with content vanishes', async () => {
    const world = await watchStaging({ network: 'held' });
    const mydumper = await world.play(...file('db.t.sql', 'rows'), forEver);
    await world.isAnnounced('db.t.sql');
    unlinkSync(join(world.directory, 'db.t.sql'));
    const failure = await world.hasFailed();
    expect(failure?.kind).toBe('dump');
    expect(failure?.message).toContain(
      'db.t.sql vanished from the staging directory with 4 bytes not yet shipped',
    );
    expect(await mydumper.exited).toEqual(KILLED);
  });

  test.each([
    ['a link', (path: string) => symlinkSync('/etc/passwd', path)],
    ['a directory', (path: string) => mkdirSync(path)],
  ])('when %s appears among the files', async (_title, create) => {
    const world = await watchStaging();
    const mydumper = await world.play(forEver);
    create(join(world.directory, 'db.t.sql'));
    const failure = await world.hasFailed();
    expect(failure?.kind).toBe('dump');
    expect(failure?.message).toContain('"db.t.sql" in the staging directory is not a regular file');
    expect(await mydumper.exited).toEqual(KILLED);
  });

  test('also when it was stopped', async () => {
    const world = await watchStaging({ network: 'held' });
    const mydumper = await world.writeFiles(MORE_THAN_FITS);
    await world.isPaused();
    await isStopped(mydumper.pid);
    await vi.waitFor(() => expect(world.announced.length).toBeGreaterThan(0), WAIT);
    unlinkSync(join(world.directory, world.announced[0]?.name ?? ''));
    expect((await world.hasFailed())?.kind).toBe('dump');
    expect(await mydumper.exited).toEqual(KILLED);
  });
});

test('a long pause lets mydumper read now and then, within the budget', async () => {
  const world = await watchStaging({ network: 'held', patienceSeconds: 0.2 });
  const sampler = sampleDirectory(world.directory);
  onTestFinished(sampler.stop);
  await world.writeFiles(MORE_THAN_FITS);
  await world.isPaused();
  const stagedBytes = world.pauses[0]?.stagedBytes ?? 0;
  await vi.waitFor(
    () => expect(world.watch.stats().dumpedBytes).toBeGreaterThan(stagedBytes + 128 * KIB),
    WAIT,
  );
  expect(world.watch.stats()).toMatchObject({ stopped: true, pauses: 1 });
  expect(world.pauses).toHaveLength(1);
  expect(sampler.peakBytes()).toBeLessThanOrEqual(8 * MIB);
  expect(world.failures).toEqual([]);
});

describe('a stopped mydumper that another process continues', () => {
  test('is stopped again, and writes no more than fits', async () => {
    const world = await watchStaging({ network: 'held' });
    const sampler = sampleDirectory(world.directory);
    onTestFinished(sampler.stop);
    const mydumper = await world.writeFiles(MORE_THAN_FITS);
    await world.isPaused();
    for (let round = 0; round < 3; round += 1) {
      await isStopped(mydumper.pid);
      process.kill(-mydumper.pid, 'SIGCONT');
    }
    await isStopped(mydumper.pid);
    expect(sampler.peakBytes()).toBeLessThanOrEqual(8 * MIB);
    world.openNetwork();
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    await world.watch.drain();
    await world.sent();
    expect(world.shipped).toHaveLength(40);
    expect(world.failures).toEqual([]);
  });

  /**
   * A mydumper that fills the budget. Its child never writes, so the gate cannot stop the child.
   */
  async function pauseWithSilentChild() {
    const world = await watchStaging({ network: 'held' });
    const mydumper = await world.script(
      `sleep 1000 & i=0; while :; do printf '%65536s' x > "$1/db.t$i.sql"; i=$((i+1)); done`,
    );
    await world.isPaused();
    const child = groupMembers(mydumper.pid).find((pid) => pid !== mydumper.pid) ?? 0;
    await isStopped(child);
    return { world, child };
  }

  test('is stopped again though it does not write', async () => {
    const { world, child } = await pauseWithSilentChild();
    for (let round = 0; round < 3; round += 1) {
      process.kill(child, 'SIGCONT'); // takes effect before the call returns
      await isStopped(child);
    }
    expect(world.failures).toEqual([]);
  });

  test('is stopped again in a long pause too, although a stop takes a moment', async () => {
    const { world, child } = await pauseWithSilentChild();
    await vi.waitFor(
      () => expect(world.watch.stats().longestPauseSeconds).toBeGreaterThan(5.2),
      WAIT,
    );
    const from = performance.now();
    while (performance.now() - from < 600 && world.failures.length === 0) {
      process.kill(child, 'SIGCONT');
      await sleep(1);
    }
    expect(world.failures).toEqual([]);
    await isStopped(child);
  });
});

// The child waits for finished files. If it alone filled the budget with nothing to ship, the run
// would fail instead.
test("mydumper's child stops with it, and the child's open file is not finished", async () => {
  const world = await watchStaging({ network: 'held' });
  const mydumper = await world.script(
    `write() { printf '%65536s' x; }
     ( exec 3> "$1/db.child.sql"; write >&3
       until [ -s "$1/db.t3.sql" ]; do :; done; while :; do write >&3; done ) &
     until [ -s "$1/db.child.sql" ]; do :; done
     i=0; while :; do write > "$1/db.t$i.sql"; i=$((i+1)); done`,
  );
  await world.isPaused();
  const members = groupMembers(mydumper.pid);
  expect(members).toHaveLength(2);
  for (const pid of members) await isStopped(pid);
  const childsBytes = lstatSync(join(world.directory, 'db.child.sql')).size;
  expect(childsBytes).toBeGreaterThan(0);
  await vi.waitFor(() => expect(world.announced.length).toBeGreaterThan(0), WAIT);
  expect(world.announced.map(({ name }) => name)).not.toContain('db.child.sql');

  mydumper.kill();
  expect(await mydumper.exited).toEqual(KILLED);
  await vi.waitFor(() => expect(groupMembers(mydumper.pid)).toEqual([]), WAIT);
  await world.watch.drain();
  const child = world.announced.filter(({ name }) => name === 'db.child.sql');
  expect(child).toEqual([
    { id: world.idOf('db.child.sql'), name: 'db.child.sql', sizeBytes: childsBytes },
  ]);
  const names = world.announced.map(({ name }) => name).sort();
  expect(names).toEqual(readdirSync(world.directory).sort());
});

test('a failed watching thread fails the run, and can still be ended', async () => {
  const world = await watchStaging();
  const mydumper = await world.play(forEver);
  world.watch.free('1:1', 1);
  const failure = await world.hasFailed();
  expect(failure?.kind).toBe('staging');
  expect(failure?.message).toMatch(/thread that watches staging failed: .*1:1/);
  await expect(world.watch.drain()).rejects.toBe(failure);
  mydumper.kill();
  await mydumper.exited;
  // The thread has long been gone by then.
  await sleep(200);
  await world.end();
});
