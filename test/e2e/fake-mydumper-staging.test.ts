import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import type { FakeStep } from '../support/fake-mydumper.ts';
import { expectFailure, runFake, startFake } from '../support/fake-run.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { createShop, ONE_DATABASE, played, playedInHalves } from '../support/recording/play.ts';
import { BUCKET, leftInStaging, startWorld, type World } from './world.ts';

const INSERT = 'INSERT INTO `small` VALUES(1);\n';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await createShop(db);
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

const file = (name: string, text = INSERT): FakeStep[] => [{ write: name, text }, { close: name }];
const inPlaceOfMetadata = (): FakeStep[] => playedInHalves().dump;

async function storedContents(): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  for (const { key } of await world.s3.objects(BUCKET))
    contents.set(key, (await world.s3.readObject(BUCKET, key)).toString('latin1'));
  return contents;
}

test('a file with rows that vanishes is noticed', async () => {
  const seen = join(world.directory, 'seen');
  const running = startFake(world, [
    { write: 'shop.lost.00000.sql', text: INSERT.repeat(100_000) },
    { waitForFile: seen },
    { remove: 'shop.lost.00000.sql' },
    { close: 'shop.lost.00000.sql' },
    { sleepMilliseconds: 500 },
    ...played(ONE_DATABASE),
  ]);
  // Only a file that the watching thread has seen can be missed. BytesStaged shows that it has.
  await vi.waitFor(() => expect(world.cloudwatch.sum('BytesStaged')).toBeGreaterThan(3_000_000), {
    timeout: 20_000,
  });
  writeFileSync(seen, '');
  await expectFailure(world, await running.ended, 4, /shop\.lost\.00000\.sql vanished/);
});

test('a file that vanishes before its first row is noticed', async () => {
  const running = startFake(world, [
    { write: 'shop.lost.00000.sql', text: '' },
    { sleepMilliseconds: 300 },
    { remove: 'shop.lost.00000.sql' },
    { sleepMilliseconds: 300 },
    { write: 'shop.lost.00000.sql', text: INSERT.repeat(100) },
    { close: 'shop.lost.00000.sql' },
    ...played(ONE_DATABASE),
  ]);
  await expectFailure(world, await running.ended, 4, /shop\.lost\.00000\.sql vanished/);
});

test('a file that stayed empty and is removed does no harm', async () => {
  const steps: FakeStep[] = [
    { write: 'shop.empty.00000.sql', text: '' },
    { sleepMilliseconds: 100 },
    { close: 'shop.empty.00000.sql' },
    { remove: 'shop.empty.00000.sql' },
    ...played(ONE_DATABASE),
  ];
  expect((await runFake(world, steps)).code).toBe(0);
  const names = (await readOnlyManifest(world.s3, BUCKET)).files.map(({ name }) => name);
  expect(names).toHaveLength(13);
  expect(names).not.toContain('shop.empty.00000.sql');
});

test('a file renamed at once after it was closed arrives once', async () => {
  const steps: FakeStep[] = [
    ...file('shop.small.00001.sql'),
    { rename: ['shop.small.00001.sql', 'shop.small.sql'] },
    ...played(ONE_DATABASE),
  ];
  expect((await runFake(world, steps)).code).toBe(0);
  const files = (await readOnlyManifest(world.s3, BUCKET)).files.filter(
    ({ table }) => table === 'small',
  );
  expect(files).toHaveLength(1);
});

test('a file renamed while it is being shipped arrives once, with all of its rows', async () => {
  const renameNow = join(world.directory, 'rename-now');
  const upload = world.s3.faults.add({
    operation: 'PutObject',
    key: /shop\.small/,
    action: { kind: 'stall', milliseconds: 500 },
  });
  const running = startFake(world, [
    ...file('shop.small.00001.sql'),
    { waitForFile: renameNow },
    { rename: ['shop.small.00001.sql', 'shop.small.sql'] },
    { waitUntilGone: 'shop.small.sql' },
    ...played(ONE_DATABASE),
  ]);
  await vi.waitFor(() => expect(upload.hits).toBe(1), { timeout: 20_000, interval: 5 });
  writeFileSync(renameNow, '');
  const { code, stdout } = await running.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const files = (await readOnlyManifest(world.s3, BUCKET)).files.filter(
    ({ table }) => table === 'small',
  );
  expect(files).toHaveLength(1);
  const contents = [...(await storedContents()).entries()].filter(([key]) =>
    key.includes('shop.small'),
  );
  expect(contents).toEqual([[files[0]?.key, INSERT]]);
  expect(leftInStaging(world)).toEqual([]);
});

test('two files of one name do not replace each other unnoticed', async () => {
  const name = 'shop.twice.00000.sql';
  const ended = await runFake(world, [
    ...file(name, 'INSERT INTO `twice` VALUES(1);\n'),
    { waitUntilGone: name },
    ...file(name, 'INSERT INTO `twice` VALUES(2);\n'),
    ...played(ONE_DATABASE),
  ]);
  await expectFailure(world, ended, 4, /two files named "shop\.twice\.00000\.sql"/);
});

test('names with line ends, quotes and letters of the world arrive as they are', async () => {
  const names = [
    'shop.new\nline.00000.sql',
    'shop.it\'s "so".00000.sql',
    'shop.表_ß.00000.sql',
    'shop.100%s.00000.sql',
    'shop.a+b&c=d?e#f.00000.sql',
    'shop. leading.00000.sql',
  ];
  const steps = names.flatMap((name): FakeStep[] => file(name, `-- ${name}\n`));
  expect((await runFake(world, [...steps, ...played(ONE_DATABASE)])).code).toBe(0);
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  for (const name of names) {
    const found = manifest.files.find((candidate) => candidate.name === name);
    expect(found?.key).toMatch(new RegExp(`/${RegExp.escape(name)}$`));
    const content = await world.s3.readObject(BUCKET, found?.key ?? '');
    expect(content.toString('utf8')).toBe(`-- ${name}\n`);
  }
});

/**
 * An entry that is no regular file is neither followed nor shipped. It fails the run, since its
 * meaning is unknown.
 */
test.each<[string, (secret: string) => FakeStep, string]>([
  ['a link', (secret) => ({ symlink: [secret, 'shop.odd.00000.sql'] }), 'shop.odd.00000.sql'],
  [
    'a link to nowhere',
    () => ({ symlink: ['/nowhere', 'shop.odd.00000.sql'] }),
    'shop.odd.00000.sql',
  ],
  ['a directory', () => ({ makeDirectory: 'shop.odd' }), 'shop.odd'],
  ['a named pipe', () => ({ makeFifo: 'shop.odd.00000.sql' }), 'shop.odd.00000.sql'],
])('%s in staging fails the run and never reaches S3', async (_what, step, name) => {
  const secret = join(world.directory, 'secret');
  writeFileSync(secret, 'a secret of the machine');
  const ended = await runFake(world, [
    step(secret),
    { sleepMilliseconds: 500 },
    ...played(ONE_DATABASE),
  ]);
  await expectFailure(
    world,
    ended,
    4,
    /"shop\.odd.*" in the staging directory is not a regular file/,
    [name],
  );
  for (const [key, content] of await storedContents()) {
    expect(key).not.toContain('odd');
    expect(content).not.toContain('a secret');
  }
  expect(readFileSync(secret, 'utf8')).toBe('a secret of the machine');
});

/**
 * mydumper makes the entry as its last act before it dies. So the program reads it before its
 * watching thread has looked.
 */
test.each<[string, (secret: string) => FakeStep]>([
  ['a link to metadata elsewhere', (secret) => ({ symlink: [secret, 'metadata'] })],
  ['a directory', () => ({ makeDirectory: 'metadata' })],
  ['a named pipe', () => ({ makeFifo: 'metadata' })],
])('metadata that is %s fails the run without hanging it', async (_what, step) => {
  const secret = join(world.directory, 'secret');
  writeFileSync(secret, '# Finished dump at: 2026-11-24 08:00:01\n');
  const steps = [...inPlaceOfMetadata(), step(secret), { killItself: 'SIGKILL' } as const];
  const running = startFake(world, steps, { environment: { STAGING_LIMIT_MB: '512' } });
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), 20_000);
  const ended = await running.ended.finally(() => clearTimeout(deadline));
  expect(ended.signal, 'killed for hanging').toBe(null);
  await expectFailure(world, ended, 4, /metadata|killed by SIGKILL/, ['metadata']);
});

test('a foreign file put into staging during a run stays there', async () => {
  const precious = join(world.staging, 'precious.txt');
  const finishNow = join(world.directory, 'finish-now');
  const running = startFake(world, [
    ...file('shop.small.00000.sql'),
    { waitForFile: finishNow },
    ...played(ONE_DATABASE),
  ]);
  await running.printed('shop.small.00000.sql');
  writeFileSync(precious, 'mine');
  writeFileSync(finishNow, '');
  await running.ended;
  expect(existsSync(precious)).toBe(true);
  expect(readFileSync(precious, 'utf8')).toBe('mine');
});
