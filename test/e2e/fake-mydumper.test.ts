import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import {
  type FakeStep,
  UPSTREAM_VERSION,
  upstreamDump,
  writeFakeMydumper,
} from '../support/fake-mydumper.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { type Ended, logLines, type RunningProgram, startProgram } from '../support/program.ts';
import { BUCKET, leftInStaging, manifestKeys, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;
let program: RunningProgram | undefined;

beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int, name text)');
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await world?.stop();
});

function startFake(
  steps: readonly FakeStep[],
  extra: Record<string, string> = {},
  version = UPSTREAM_VERSION,
): RunningProgram {
  const binary = writeFakeMydumper(join(world.directory, 'fake'), { version, steps });
  program = startProgram(world.environment({ MYDUMPER_BIN: binary, COMPRESS: 'none', ...extra }));
  return program;
}

const runFake = (...args: Parameters<typeof startFake>): Promise<Ended> => startFake(...args).ended;

async function expectFailure({ code, stdout }: Ended, exitCode: number, reason: RegExp): Promise<void> {
  const failures = logLines(stdout).filter(({ event }) => event === 'failed');
  expect(failures).toEqual([expect.objectContaining({ exitCode, reason: expect.stringMatching(reason) })]);
  expect(code).toBe(exitCode);
  expect(await manifestKeys(world)).toEqual([]);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(0);
}

/** The dump without its last steps, and what comes instead. */
const dumpThen = (...instead: FakeStep[]): FakeStep[] => [...upstreamDump('shop'), ...instead];
const withoutMetadata = (): FakeStep[] => upstreamDump('shop').slice(0, -4);
const error = (text: string): FakeStep => ({ log: `2026-11-24 08:00:01 [ERROR] - ${text}` });

test('a dump by 1.x: its files, names, binlog position and arguments', async () => {
  const argumentsPath = join(world.directory, 'arguments');
  const optionsPath = join(world.directory, 'options');
  const record: FakeStep[] = [{ recordArguments: argumentsPath }, { recordOptionFile: optionsPath }];
  const { code, stdout } = await runFake([...record, ...upstreamDump('shop')]);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });

  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.mydumper.version).toBe('1.0.1-3');
  expect(manifest.binlog).toEqual({
    file: 'binlog.000007',
    position: 4711,
    gtid: '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5',
  });
  expect(manifest.files.map(({ name, kind, database, table }) => [name, kind, database, table])).toEqual([
    ['metadata', 'metadata', null, null],
    ['shop-schema-create.sql', 'schema', 'shop', null],
    ['shop-schema-post.sql', 'post', 'shop', null],
    ['shop.mydumper_0.00000.sql', 'data', 'shop', 'mydumper_0'],
    ['shop.orders-schema.sql', 'schema', 'shop', 'orders'],
    ['shop.orders.00000.00001.sql', 'data', 'shop', 'orders'],
    ['shop.orders.00000.sql', 'data', 'shop', 'orders'],
    ['shop.totals-schema-view.sql', 'view', 'shop', 'totals'],
  ]);
  for (const { key, name } of manifest.files) {
    const content = (await world.s3.readObject(BUCKET, key)).toString('utf8');
    if (name.startsWith('shop.orders.')) expect(content).toContain("(1,'one'),(2,'two')");
  }

  const argv = readFileSync(argumentsPath, 'utf8').split('\n');
  expect(argv).toEqual(manifest.mydumper.arguments);
  expect(argv).toEqual(
    expect.arrayContaining(['--dirty', '--triggers', '--events', '--routines', '--verbose=3']),
  );
  expect(argv.join('\n')).not.toContain(db.password);
  const options = readFileSync(optionsPath, 'utf8');
  expect(statSync(optionsPath).mode & 0o777).toBe(0o600);
  expect(options).toContain('[mydumper_session_variables]\n');
  expect(options).toMatch(/^net_write_timeout=\d+$/m);
  expect(options).toMatch(/^password=/m);
});

test.each<[string, FakeStep[], RegExp]>([
  [
    'an error in its log and exit 0',
    dumpThen(error('Could not read data from shop.orders: Lost')),
    /Could not read data/,
  ],
  [
    'exit 1',
    dumpThen({ log: '2026-11-24 08:00:01 [WARNING] - last words' }, { exit: 1 }),
    /exit code 1: .*last words/,
  ],
  ['exit 1 after an error', dumpThen(error('the table is gone'), { exit: 1 }), /the table is gone/],
  ['no metadata', withoutMetadata(), /no metadata/],
  [
    'metadata that tells of no end',
    [
      ...withoutMetadata(),
      { write: 'metadata', text: '[config]\nquote-character = BACKTICK\n' },
      { close: 'metadata' },
    ],
    /no finished dump/,
  ],
  ['a death by signal', dumpThen({ killItself: 'SIGSEGV' }), /killed by SIGSEGV/],
  ['a death in the middle', [...withoutMetadata(), { killItself: 'SIGKILL' }], /killed by SIGKILL/],
])('%s fails the run with mydumper’s own reason', async (_what, steps, reason) => {
  await expectFailure(await runFake(steps), 4, reason);
});

test('it is ended though it ignores signals', async () => {
  const running = startFake([
    { ignoreSignals: true },
    ...withoutMetadata(),
    { log: '2026-11-24 08:00:01 [INFO] - deaf now' },
    { sleepMilliseconds: 600_000 },
  ]);
  await running.printed('deaf now');
  running.child.kill('SIGTERM');
  await expectFailure(await running.ended, 143, /interrupted by SIGTERM/);
});

test('a file with rows that vanishes is noticed', async () => {
  const steps: FakeStep[] = [
    { write: 'shop.lost.00000.sql', text: 'INSERT INTO `lost` VALUES(1);\n' },
    { sleepMilliseconds: 500 },
    { remove: 'shop.lost.00000.sql' },
    { close: 'shop.lost.00000.sql' },
    { sleepMilliseconds: 500 },
    ...upstreamDump('shop'),
  ];
  await expectFailure(await runFake(steps), 4, /shop\.lost\.00000\.sql vanished/);
});

test('a file that stayed empty and is removed does no harm', async () => {
  const steps: FakeStep[] = [
    { write: 'shop.empty.00000.sql', text: '' },
    { sleepMilliseconds: 100 },
    { close: 'shop.empty.00000.sql' },
    { remove: 'shop.empty.00000.sql' },
    ...upstreamDump('shop'),
  ];
  expect((await runFake(steps)).code).toBe(0);
  const names = (await readOnlyManifest(world.s3, BUCKET)).files.map(({ name }) => name);
  expect(names).not.toContain('shop.empty.00000.sql');
});

test('a file renamed after it was closed arrives once', async () => {
  const steps: FakeStep[] = [
    { write: 'shop.small.00001.sql', text: 'INSERT INTO `small` VALUES(1);\n' },
    { close: 'shop.small.00001.sql' },
    { rename: ['shop.small.00001.sql', 'shop.small.sql'] },
    ...upstreamDump('shop'),
  ];
  expect((await runFake(steps)).code).toBe(0);
  const files = (await readOnlyManifest(world.s3, BUCKET)).files.filter(({ table }) => table === 'small');
  expect(files).toHaveLength(1);
});

test('two files of one name do not replace each other unnoticed', async () => {
  const once: FakeStep[] = [
    { write: 'shop.twice.00000.sql', text: 'INSERT INTO `twice` VALUES(1);\n' },
    { close: 'shop.twice.00000.sql' },
  ];
  const running = startFake([...once, { sleepMilliseconds: 2000 }, ...once, ...upstreamDump('shop')]);
  await running.printed('shop.twice.00000.sql');
  await expectFailure(await running.ended, 4, /two files named "shop\.twice\.00000\.sql"/);
});

test('what a link in staging points to never leaves the machine, and the run fails', async () => {
  const secret = join(world.directory, 'secret');
  writeFileSync(secret, 'a secret of the machine');
  const { code, stdout } = await runFake([
    { symlink: [secret, 'shop.link.00000.sql'] },
    ...upstreamDump('shop'),
  ]);
  expect(code).toBe(4);
  expect(stdout).toContain('is not a regular file');
  expect(await manifestKeys(world)).toEqual([]);
  for (const { key } of await world.s3.objects(BUCKET)) {
    expect((await world.s3.readObject(BUCKET, key)).toString('latin1')).not.toContain('a secret');
  }
  expect(readFileSync(secret, 'utf8')).toBe('a secret of the machine');
});

test('a directory that mydumper makes in staging fails the run', async () => {
  const { code, stdout } = await runFake([{ makeDirectory: 'shop' }, ...upstreamDump('shop')]);
  expect({ code, stdout }).toMatchObject({
    code: 4,
    stdout: expect.stringContaining('is not a regular file'),
  });
});

test('names with line ends, quotes and letters of the world arrive as they are', async () => {
  const names = [
    'shop.new\nline.00000.sql',
    'shop.it\'s "so".00000.sql',
    'shop.表_ß.00000.sql',
    'shop.100%s.00000.sql',
  ];
  const steps = names.flatMap((name): FakeStep[] => [
    { write: name, text: `-- ${name.length}\n` },
    { close: name },
  ]);
  expect((await runFake([...steps, ...upstreamDump('shop')])).code).toBe(0);
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.files.map(({ name }) => name)).toEqual(expect.arrayContaining(names));
});

test('a flood of log lines neither blocks it nor is lost', async () => {
  const flood: FakeStep = { log: '2026-11-24 08:00:00 [WARNING] - one of very many lines', repeat: 50_000 };
  expect((await runFake([flood, ...dumpThen(error('after the flood'))], { LOG_LEVEL: 'ERROR' })).code).toBe(
    4,
  );
});

test.each([
  ['mydumper 0.12.7-1, built against MySQL 8.0.29', /not mydumper 0\.9, 0\.10 or 1\.x/],
  ['bash: no such thing', /not mydumper/],
])('a tool that says %j is refused', async (version, reason) => {
  await expectFailure(await runFake([], {}, version), 3, reason);
});

test('a tool that is not there is refused', async () => {
  const ended = await startProgram(world.environment({ MYDUMPER_BIN: '/nowhere/mydumper' })).ended;
  await expectFailure(ended, 3, /MYDUMPER_BIN="\/nowhere\/mydumper": not found/);
});

test('1.x that stalls for a while with nothing to ship is waited for', async () => {
  const running = startFake([{ sleepMilliseconds: 1500 }, ...upstreamDump('shop')]);
  await vi.waitFor(() => expect(running.output().stdout).toContain('"event":"started"'), { timeout: 10_000 });
  expect((await running.ended).code).toBe(0);
});
