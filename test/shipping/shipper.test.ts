import { createHash } from 'node:crypto';
import { crc32, zstdDecompressSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { Failure } from '../../app/errors.ts';
import type { ShippedFile } from '../../app/shipping/shipper.ts';
import { encodeCrc32 } from '../../app/storage/checksum-guard.ts';
import { startShipping } from '../support/fake-shipping.ts';

const WAIT = { timeout: 30_000, interval: 1 };

/** Answers every upload as it comes, until nothing is left. */
async function acknowledgeAll({
  shipper,
  uploads,
  isIdle,
}: ReturnType<typeof startShipping>): Promise<void> {
  for (let next = 0; !(await isIdle()); )
    for (; next < uploads.length; next += 1) uploads[next]?.acknowledge();
  await shipper.idle();
}

test('a file is released only after the store has acknowledged it', async () => {
  const run = startShipping();
  run.shipper.add([run.stage('shop.orders.sql', 'rows')]);
  const upload = await run.uploading(1);
  expect(String(upload.content)).toBe('rows');
  expect(upload.contentType).toBe('application/sql');
  expect(run.releases()).toEqual([]);
  expect(run.shipper.shipped()).toEqual([]);
  expect(await run.isIdle()).toBe(false);

  upload.acknowledge();
  await run.shipper.idle();
  const key = 'db/run/shop.orders.sql';
  expect(run.log).toEqual([
    'lease shop.orders.sql',
    `upload ${key}`,
    `answer ${key}`,
    'release shop.orders.sql',
  ]);
  const file: ShippedFile = {
    name: 'shop.orders.sql',
    key,
    stagedBytes: 4,
    dumpedBytes: 4,
    storedBytes: 4,
    largestStatementBytes: 4,
    programs: [],
    sha256: createHash('sha256').update('rows').digest('hex'),
    crc32: encodeCrc32(crc32('rows')),
  };
  expect(run.shipper.shipped()).toEqual([file]);
  expect(run.told).toEqual([file]);
});

test("compression sets the key's extension, the object's type and both sizes", async () => {
  const prologue = Buffer.from('SET NAMES binary;\n');
  const run = startShipping({ compression: 'zstd', prologueOf: () => prologue });
  const content = 'INSERT INTO t VALUES(1);\n'.repeat(1000);
  run.shipper.add([run.stage('shop.t.sql', content)]);
  const upload = await run.uploading(1);
  upload.acknowledge();
  await run.shipper.idle();
  expect(upload).toMatchObject({ key: 'db/run/shop.t.sql.zst', contentType: 'application/zstd' });
  expect(String(zstdDecompressSync(upload.content))).toBe(prologue + content);
  expect(run.shipper.shipped()).toMatchObject([
    {
      stagedBytes: content.length,
      dumpedBytes: prologue.length + content.length,
      storedBytes: upload.content.length,
      sha256: createHash('sha256').update(prologue).update(content).digest('hex'),
    },
  ]);
});

test('the oldest file goes first, and never more go at once than allowed', async () => {
  const run = startShipping({ concurrency: 3 });
  const names = Array.from({ length: 10 }, (_, index) => `shop.t.0000${index}.sql`);
  const staged = names.map((name) => run.stage(name));
  run.shipper.add(staged.slice(0, 4));
  run.shipper.add(staged.slice(4));
  for (let count = 3; count <= names.length; count += 1) {
    await run.uploading(count);
    const open = run.log.filter((line) => line.startsWith('lease')).length - run.releases().length;
    expect(open).toBe(3);
    run.uploads[count - 3]?.acknowledge();
  }
  await acknowledgeAll(run);
  expect(run.log.filter((line) => line.startsWith('lease'))).toEqual(
    names.map((name) => `lease ${name}`),
  );
  expect(run.releases().toSorted()).toEqual(names.map((name) => `release ${name}`));
  for (const name of names)
    expect(run.log.indexOf(`answer db/run/${name}`)).toBeLessThan(
      run.log.indexOf(`release ${name}`),
    );
});

test('a refused upload releases nothing, stops others, and reports its cause once', async () => {
  const run = startShipping();
  run.shipper.add(['a', 'b', 'c'].map((name) => run.stage(name)));
  await run.uploading(2);
  const first = new Failure('upload', 'could not write a');
  run.uploads[0]?.refuse(first);
  await vi.waitFor(() => expect(run.failures).toEqual([first]), WAIT);
  expect(await run.isIdle()).toBe(false);
  run.uploads[1]?.refuse(new Failure('upload', 'could not write b'));
  await run.shipper.idle();
  expect(run.failures).toEqual([first]);
  expect(run.releases()).toEqual([]);
  expect(run.log).not.toContain('lease c');
  expect(run.shipper.shipped()).toEqual([]);
});

test('what was under way when another upload failed is still finished and counted', async () => {
  const run = startShipping();
  run.shipper.add(['a', 'b'].map((name) => run.stage(name)));
  await run.uploading(2);
  const byKey = (key: string) => run.uploads.find((upload) => upload.key === `db/run/${key}`);
  byKey('a')?.refuse(new Failure('upload', 'could not write a'));
  await vi.waitFor(() => expect(run.failures.length).toBe(1), WAIT);
  byKey('b')?.acknowledge();
  await run.shipper.idle();
  expect(run.releases()).toEqual(['release b']);
  expect(run.shipper.shipped()).toMatchObject([{ name: 'b' }]);
});

test('an error that is no Failure becomes one of the upload', async () => {
  const run = startShipping();
  run.shipper.add([run.stage('a')]);
  const cause = new TypeError('oops');
  (await run.uploading(1)).refuse(cause);
  await run.shipper.idle();
  expect(run.failures).toMatchObject([{ kind: 'upload', message: 'shipping failed: oops', cause }]);
});

test('a refused lease or release is reported unchanged', async () => {
  const leased = startShipping();
  leased.shipper.add([{ id: 'gone', name: 'gone', sizeBytes: 1 }]);
  await leased.shipper.idle();
  expect(leased.failures).toMatchObject([{ kind: 'dump', message: 'there is no file gone' }]);

  const released = startShipping();
  released.refusedReleases.add('a');
  released.shipper.add([released.stage('a')]);
  (await released.uploading(1)).acknowledge();
  await released.shipper.idle();
  expect(released.failures).toMatchObject([{ kind: 'staging' }]);
  expect(released.shipper.shipped()).toEqual([]);
  expect(released.told).toEqual([]);
});

test('two files of one name fail the dump, and the second is not uploaded', async () => {
  const run = startShipping({ concurrency: 1 });
  run.shipper.add([
    run.stage('shop.t.sql', 'one', { id: 'first' }),
    run.stage('shop.t.sql', 'two', { id: 'second' }),
  ]);
  (await run.uploading(1)).acknowledge();
  await vi.waitFor(() => expect(run.failures.length).toBe(1), WAIT);
  await run.shipper.idle();
  expect(run.failures).toMatchObject([
    { kind: 'dump', lines: [expect.stringContaining('"shop.t.sql"')] },
  ]);
  expect(run.uploads.length).toBe(1);
  expect(run.releases()).toEqual(['release first']);
});

test('after stop no file is begun, also none that comes later; those under way go on', async () => {
  const run = startShipping();
  run.shipper.add(['a', 'b', 'c'].map((name) => run.stage(name)));
  await run.uploading(2);
  run.shipper.stop();
  run.shipper.add([run.stage('d')]);
  expect(await run.isIdle()).toBe(false);
  for (const upload of run.uploads) upload.acknowledge();
  await run.shipper.idle();
  expect(run.shipper.shipped().map(({ name }) => name)).toEqual(['a', 'b']);
  expect(run.log.filter((line) => line.startsWith('lease'))).toEqual(['lease a', 'lease b']);
  run.shipper.add([run.stage('e')]);
  expect(await run.isIdle()).toBe(true);
  expect(run.failures).toEqual([]);
});

test('a failure after stop is not reported, since the caller has its own cause', async () => {
  const run = startShipping();
  run.shipper.add([run.stage('a')]);
  const upload = await run.uploading(1);
  run.shipper.stop();
  upload.refuse(new Failure('upload', 'interrupted'));
  await run.shipper.idle();
  expect(run.failures).toEqual([]);
  expect(run.releases()).toEqual([]);
});

test('idle resolves at once without work, and waits again for each new file', async () => {
  const run = startShipping();
  expect(await run.isIdle()).toBe(true);
  run.shipper.add([]);
  expect(await run.isIdle()).toBe(true);
  for (const count of [1, 2]) {
    run.shipper.add([run.stage(`file${count}`)]);
    expect(await run.isIdle()).toBe(false);
    (await run.uploading(count)).acknowledge();
    await run.shipper.idle();
    expect(run.shipper.shipped().length).toBe(count);
  }
});

test.each([1, 2])(
  'idle called at the start resolves at the end, %i at a time',
  { timeout: 20_000 },
  async (concurrency) => {
    const run = startShipping({ concurrency });
    run.shipper.add(['a', 'b', 'c', 'd'].map((name) => run.stage(name)));
    const idle = run.shipper.idle();
    for (let count = 1; count <= 4; count += 1) (await run.uploading(count)).acknowledge();
    await idle;
    expect(run.shipper.shipped().length).toBe(4);
  },
);
