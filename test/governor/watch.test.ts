import { readdirSync, readlinkSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { readProcess } from '../../app/staging/process-files.ts';
import type { FakeStep } from '../support/fake-mydumper.ts';
import { sampleDirectory } from '../support/sampler.ts';
import { WAIT, watchStaging } from '../support/watched-staging.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

function expectedNames(threads: number, files: number): string[] {
  return Array.from({ length: threads * files }, (_, index) => {
    const file = String(index % files).padStart(5, '0');
    return `db.t${Math.floor(index / files)}.${file}.sql`;
  });
}

const file = (name: string, text = name): FakeStep[] => [{ write: name, text }, { close: name }];
const forEver: FakeStep = { sleepMilliseconds: 1_000_000 };

describe('the budget', () => {
  test('holds while mydumper writes many budgets, faster than the network', async () => {
    const budgetBytes = 4 * MIB;
    const burstBytes = 2 * 64 * KIB;
    const world = await watchStaging({
      budgetBytes,
      burstBytes,
      likelyBurstBytes: burstBytes,
      sendMilliseconds: 25,
    });
    const sampler = sampleDirectory(world.directory);
    onTestFinished(sampler.stop);
    const mydumper = await world.writeFiles({ threads: 2, files: 24, writes: 8, bytes: 64 * KIB });
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    await world.watch.drain();
    await world.sent();

    expect(sampler.samples()).toBeGreaterThan(10);
    expect(sampler.peakBytes()).toBeLessThanOrEqual(budgetBytes);
    const stats = world.watch.stats();
    expect(stats.peakStagedBytes).toBeLessThanOrEqual(budgetBytes);
    // It is used, too.
    expect(stats.peakStagedBytes).toBeGreaterThan(budgetBytes / 2);
    expect(stats.pauses).toBeGreaterThan(0);
    expect(stats.pauses).toBe(world.pauses.filter(({ kind }) => kind === 'paused').length);
    expect(stats.longestPauseSeconds).toBeGreaterThan(0);
    expect(stats.pausedSeconds).toBeGreaterThanOrEqual(stats.longestPauseSeconds);
    expect(stats).toMatchObject({ dumpedBytes: 24 * MIB, stopped: false, lockedStopSeconds: 0 });
    expect(world.shipped.map(({ name }) => name).sort()).toEqual(expectedNames(2, 24));
    expect(new Set(world.shipped.map(({ content }) => content))).toEqual(
      new Set(['x'.repeat(512 * KIB)]),
    );
    expect(readdirSync(world.directory)).toEqual([]);
    expect(world.failures).toEqual([]);
  });

  test('holds from the first write on, though the thread learns of mydumper late', async () => {
    const budgetBytes = 4 * MIB;
    const world = await watchStaging({ budgetBytes, burstBytes: 64 * KIB, network: 'held' });
    const sampler = sampleDirectory(world.directory);
    onTestFinished(sampler.stop);
    const output = join(world.directory, 'db.t.sql');
    const mydumper = await world.start(
      'dd',
      'if=/dev/zero',
      `of=${output}`,
      'bs=64k',
      'count=1600',
    );
    await vi.waitFor(() => expect(readProcess(mydumper.pid)?.state).toBe('T'), WAIT);
    expect(readdirSync(world.directory)).toEqual([]);

    world.watch.govern(mydumper.pid);
    expect((await world.hasFailed())?.message).toMatch(/files mydumper has not finished/);
    expect(await mydumper.exited).toEqual({ code: null, signal: 'SIGKILL' });
    expect(sampler.peakBytes()).toBeGreaterThan(budgetBytes / 2);
    expect(sampler.peakBytes()).toBeLessThanOrEqual(budgetBytes);
  });

  test('does not stop mydumper while there is room', async () => {
    const world = await watchStaging({ budgetBytes: 200 * MIB, network: 'held' });
    const mydumper = await world.writeFiles({ threads: 2, files: 20, writes: 8, bytes: 64 * KIB });
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    await world.watch.drain();
    expect(world.pauses).toEqual([]);
    expect(world.watch.stats()).toMatchObject({
      pauses: 0,
      pausedSeconds: 0,
      dumpedBytes: 20 * MIB,
    });
  });
});

describe('with the network standing still', () => {
  test('mydumper stops before the budget is full, and resumes after uploads', async () => {
    const budgetBytes = 8 * MIB;
    const world = await watchStaging({ budgetBytes, network: 'held' });
    const mydumper = await world.writeFiles({ threads: 1, files: 40, writes: 8, bytes: 64 * KIB });
    await world.isPaused();
    await vi.waitFor(() => expect(readProcess(mydumper.pid)?.state).toBe('T'), WAIT);
    const threads = readdirSync(`/proc/${mydumper.pid}/task`);
    const states = threads.map((thread) => readProcess(`${mydumper.pid}/task/${thread}`)?.state);
    expect(new Set(states)).toEqual(new Set(['T']));
    const staged = () =>
      readdirSync(world.directory).reduce(
        (sum, name) => sum + statSync(join(world.directory, name)).blocks * 512,
        0,
      );
    const stagedBytes = staged();
    expect(stagedBytes).toBeLessThanOrEqual(budgetBytes);
    expect(stagedBytes).toBeGreaterThan(budgetBytes / 2);
    await vi.waitFor(() => expect(world.watch.stats().stopped).toBe(true), WAIT);
    expect(world.shipped).toEqual([]);
    expect(staged()).toBe(stagedBytes);

    world.openNetwork();
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    await world.watch.drain();
    await world.sent();
    expect(world.pauses[0]?.reason).toMatch(/would exceed its budget/);
    expect(world.pauses.find(({ kind }) => kind === 'resumed')?.reason).toMatch(/room again/);
    expect(world.shipped).toHaveLength(40);
  });

  test('a pause under locks is told as such and counted until the locks are released', async () => {
    const world = await watchStaging({ locked: true, network: 'held' });
    await world.writeFiles({ threads: 1, files: 40, writes: 8, bytes: 64 * KIB });
    await world.isPaused();
    expect(world.pauses[0]?.reason).toMatch(/whole budget.*locks/);
    await vi.waitFor(() => expect(world.watch.stats().lockedStopSeconds).toBeGreaterThan(0), WAIT);
    world.watch.locksReleased();
    const until = world.watch.stats().pausedSeconds + 0.5;
    await vi.waitFor(() => expect(world.watch.stats().pausedSeconds).toBeGreaterThan(until), WAIT);
    const { lockedStopSeconds } = world.watch.stats();
    await vi.waitFor(
      () => expect(world.watch.stats().pausedSeconds).toBeGreaterThan(until + 0.3),
      WAIT,
    );
    expect(world.watch.stats().lockedStopSeconds).toBe(lockedStopSeconds);
    expect(lockedStopSeconds).toBeLessThan(until);
  });
});

describe('files are announced', () => {
  test('exactly once each, though mydumper renames closed and removes empty files', async () => {
    const world = await watchStaging();
    const steps = Array.from({ length: 150 }, (_, table): FakeStep[] => [
      ...file(`db.t${table}.00001.sql`, `rows of ${table}`),
      { rename: [`db.t${table}.00001.sql`, `db.t${table}.sql`] },
      { write: `db.empty${table}.sql`, text: '' },
      { close: `db.empty${table}.sql` },
      { remove: `db.empty${table}.sql` },
    ]);
    const mydumper = await world.play(...steps.flat());
    expect(await mydumper.exited).toEqual({ code: 0, signal: null });
    await world.watch.drain();
    await world.sent();
    const contents = world.shipped.map(({ content }) => content).sort();
    expect(contents).toEqual(Array.from({ length: 150 }, (_, table) => `rows of ${table}`).sort());
    expect(world.announced).toHaveLength(150);
    expect(readdirSync(world.directory)).toEqual([]);
    expect(world.failures).toEqual([]);
    expect(world.watch.stats().dumpedBytes).toBe(contents.join('').length);
  });

  test('and can be leased and released under the name they got since', async () => {
    const world = await watchStaging({ network: 'held' });
    await world.play(...file('db.t.00001.sql', 'rows'), forEver);
    await world.isAnnounced('db.t.00001.sql');
    const id = world.idOf('db.t.00001.sql');
    renameSync(join(world.directory, 'db.t.00001.sql'), join(world.directory, 'db.t.sql'));
    expect(await world.watch.lease(id)).toMatchObject({
      id,
      name: 'db.t.sql',
      sizeBytes: 4,
      closed: true,
    });
    renameSync(join(world.directory, 'db.t.sql'), join(world.directory, 'db.u.sql'));
    await world.watch.release(id);
    expect(readdirSync(world.directory)).toEqual([]);
  });

  test('not while mydumper has them open, and metadata not before mydumper is gone', async () => {
    const world = await watchStaging();
    const mydumper = await world.play(
      ...file('metadata.partial', 'Started dump at: now\n'),
      { rename: ['metadata.partial', 'metadata'] },
      { write: 'db.open.sql', text: 'rows' },
      ...file('db.last.sql'),
      forEver,
    );
    await world.isAnnounced('db.last.sql');
    // To release the last one the thread has looked again.
    await world.sent();
    expect(world.announced.map(({ name }) => name)).toEqual(['db.last.sql']);
    mydumper.kill();
    await mydumper.exited;
    await world.watch.drain();
    expect(world.announced.map(({ name }) => name).sort()).toEqual([
      'db.last.sql',
      'db.open.sql',
      'metadata',
    ]);
  });
});

test('what is not there cannot be leased, and what is not leased cannot be released', async () => {
  const { watch, end, directory, isAnnounced, idOf, play } = await watchStaging({
    network: 'held',
  });
  await play(...file('db.t.sql'), forEver);
  await isAnnounced('db.t.sql');
  await expect(watch.lease('1:1')).rejects.toMatchObject({
    kind: 'dump',
    message: 'no file 1:1 in staging',
  });
  await expect(watch.release(idOf('db.t.sql'))).rejects.toMatchObject({ kind: 'staging' });

  const { descriptor } = await watch.lease(idOf('db.t.sql'));
  const openHere = () =>
    readdirSync('/proc/self/fd').flatMap((name) => {
      try {
        return [readlinkSync(`/proc/self/fd/${name}`)];
      } catch {
        return []; // the one of this listing
      }
    });
  expect(readlinkSync(`/proc/self/fd/${descriptor}`)).toBe(join(directory, 'db.t.sql'));
  await end();
  expect(openHere().filter((path) => path.startsWith(directory))).toEqual([]);
});
