import { appendFileSync } from 'node:fs';
import { expect, test, vi } from 'vitest';
import { startShipping } from '../support/fake-shipping.ts';

const WAIT = { timeout: 30_000, interval: 1 };
const KEY = 'db/run/shop.t.sql';
const ID = 'shop.t.sql';

/** A file that mydumper still writes, under way to the store. */
async function startGrowing(options: Parameters<typeof startShipping>[0] = {}) {
  const run = startShipping(options);
  const file = run.stage(ID, 'a'.repeat(1000), { closed: false });
  run.shipper.addGrowing([file]);
  await vi.waitFor(() => expect(run.beginnings.get(KEY)?.receivedBytes).toBe(1000), WAIT);
  const grow = (bytes: number, sizeBytes: number, closed: boolean) => {
    appendFileSync(file.path, 'b'.repeat(bytes));
    run.shipper.grown([{ id: ID, sizeBytes, closed }]);
  };
  const frees = () => run.log.filter((line) => line.startsWith('free'));
  return { ...run, grow, frees, beginning: () => run.beginnings.get(KEY) };
}

test('a growing file is freed up to its acknowledged bytes, and released at its end', async () => {
  const run = await startGrowing();
  expect(run.frees()).toEqual([]);
  run.beginning()?.acknowledge(600);
  expect(run.frees()).toEqual([`free ${ID} 600`]);
  run.grow(500, 1500, false);
  await vi.waitFor(() => expect(run.beginning()?.receivedBytes).toBe(1500), WAIT);
  run.beginning()?.acknowledge(1200);
  expect(await run.isIdle()).toBe(false);
  run.grow(1, 1501, true);
  const upload = await run.uploading(1);
  expect(String(upload.content)).toBe('a'.repeat(1000) + 'b'.repeat(501));
  expect(run.releases()).toEqual([]);
  upload.acknowledge();
  await run.shipper.idle();
  expect(run.frees()).toEqual([`free ${ID} 600`, `free ${ID} 1200`]);
  expect(run.releases()).toEqual([`release ${ID}`]);
  expect(run.shipper.shipped()).toMatchObject([
    { name: ID, key: KEY, stagedBytes: 1501, dumpedBytes: 1501 },
  ]);
});

test('never more is freed than was read of the file, and the prologue does not count', async () => {
  const run = await startGrowing({ prologueOf: () => Buffer.alloc(0) });
  run.beginning()?.acknowledge(5_000_000);
  expect(run.frees()).toEqual([`free ${ID} 1000`]);
  run.beginning()?.acknowledge(5_000_000);
  run.beginning()?.acknowledge(10);
  expect(run.frees()).toEqual([`free ${ID} 1000`]);

  const other = startShipping({ prologueOf: () => Buffer.alloc(100) });
  other.shipper.addGrowing([other.stage(ID, 'a'.repeat(1000), { closed: false })]);
  await vi.waitFor(() => expect(other.beginnings.get(KEY)?.receivedBytes).toBe(1100), WAIT);
  other.beginnings.get(KEY)?.acknowledge(99);
  other.beginnings.get(KEY)?.acknowledge(600);
  expect(other.log.filter((line) => line.startsWith('free'))).toEqual([`free ${ID} 500`]);
  for (const { shipper } of [run, other]) {
    shipper.stop();
    await shipper.idle();
  }
});

test('growing files go beside the finished ones, which are bounded', async () => {
  const run = startShipping({ concurrency: 1 });
  run.shipper.addGrowing(['g1', 'g2'].map((name) => run.stage(name, name, { closed: false })));
  run.shipper.add(['f1', 'f2'].map((name) => run.stage(name)));
  (await run.uploading(1)).acknowledge();
  (await run.uploading(2)).acknowledge();
  await vi.waitFor(
    () => expect(run.shipper.shipped().map(({ name }) => name)).toEqual(['f1', 'f2']),
    WAIT,
  );
  expect(await run.isIdle()).toBe(false);
  run.shipper.grown(['g1', 'g2'].map((id) => ({ id, sizeBytes: 2, closed: true })));
  (await run.uploading(3)).acknowledge();
  (await run.uploading(4)).acknowledge();
  await run.shipper.idle();
  expect(run.failures).toEqual([]);
  expect(run.releases().length).toBe(4);
});

test('growing files queue in order; one that finishes there is shipped whole', async () => {
  const run = startShipping({ growingConcurrency: 2 });
  const names = ['g1', 'g2', 'g3', 'g4'];
  run.shipper.addGrowing(names.slice(0, 3).map((name) => run.stage(name, name, { closed: false })));
  run.shipper.addGrowing([run.stage('g4', 'all of it')]);
  await vi.waitFor(() => expect(run.beginnings.size).toBe(2), WAIT);
  expect(run.log).toEqual(['lease g1', 'lease g2', 'upload db/run/g1', 'upload db/run/g2']);
  run.shipper.grown([{ id: 'g2', sizeBytes: 2, closed: true }]);
  (await run.uploading(1)).acknowledge();
  await vi.waitFor(() => expect(run.log).toContain('upload db/run/g3'), WAIT);
  expect(run.log).not.toContain('lease g4');
  run.shipper.grown([{ id: 'g1', sizeBytes: 2, closed: true }]);
  (await run.uploading(2)).acknowledge();
  const last = await run.uploading(3);
  expect([last.key, String(last.content)]).toEqual(['db/run/g4', 'all of it']);
  last.acknowledge();
  expect(await run.isIdle()).toBe(false);
  run.shipper.grown([{ id: 'g3', sizeBytes: 2, closed: true }]);
  (await run.uploading(4)).acknowledge();
  await run.shipper.idle();
  expect(run.failures).toEqual([]);
  expect(run.shipper.shipped().map(({ name }) => name)).toEqual(['g2', 'g1', 'g4', 'g3']);
});

test('stop forgets growing files that wait for their turn', async () => {
  const run = startShipping({ growingConcurrency: 1 });
  run.shipper.addGrowing(['g1', 'g2'].map((name) => run.stage(name, name, { closed: false })));
  await vi.waitFor(() => expect(run.beginnings.size).toBe(1), WAIT);
  run.shipper.stop();
  await run.shipper.idle();
  expect(run.log).not.toContain('lease g2');
});

test('stop ends files that wait for growth, without a release and without a failure', async () => {
  const run = await startGrowing();
  run.shipper.stop();
  await run.shipper.idle();
  expect(run.failures).toEqual([]);
  expect(run.releases()).toEqual([]);
  expect(run.shipper.shipped()).toEqual([]);
  run.shipper.addGrowing([run.stage('late', 'x', { closed: false })]);
  expect(await run.isIdle()).toBe(true);
});

test('a failure of another file ends waiting files, and is the only report', async () => {
  const run = await startGrowing();
  run.shipper.add([run.stage('other')]);
  (await run.uploading(1)).refuse(new TypeError('oops'));
  await run.shipper.idle();
  expect(run.failures).toMatchObject([{ kind: 'upload', message: 'shipping failed: oops' }]);
  expect(run.releases()).toEqual([]);
});

test('news of files that are not under way are ignored', () => {
  const run = startShipping();
  run.shipper.grown([{ id: 'unknown', sizeBytes: 1, closed: true }]);
  run.shipper.press('unknown');
  expect(run.log).toEqual([]);
});
