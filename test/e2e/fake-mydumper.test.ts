import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { type FakeStep, upstreamDump } from '../support/fake-mydumper.ts';
import { expectFailure, runFake, startFake } from '../support/fake-run.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { BUCKET, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int, name text)');
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

/** The dump without its last steps, and what comes instead. */
const dumpThen = (...instead: FakeStep[]): FakeStep[] => [...upstreamDump('shop'), ...instead];
const withoutMetadata = (): FakeStep[] => upstreamDump('shop').slice(0, -4);
const error = (text: string): FakeStep => ({ log: `2026-11-24 08:00:01 [ERROR] - ${text}` });

test('a dump by 1.x: its files, names, binlog position and arguments', async () => {
  const argumentsPath = join(world.directory, 'arguments');
  const optionsPath = join(world.directory, 'options');
  const record: FakeStep[] = [{ recordArguments: argumentsPath }, { recordOptionFile: optionsPath }];
  const { code, stdout } = await runFake(world, [...record, ...upstreamDump('shop')]);
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
  for (const { key, name } of manifest.files.filter(({ table }) => table === 'orders')) {
    const content = (await world.s3.readObject(BUCKET, key)).toString('utf8');
    expect(content).toContain(name.includes('-schema') ? 'CREATE TABLE' : "(1,'one'),(2,'two')");
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
    'an error in the middle and exit 0',
    [error('the table is gone'), ...upstreamDump('shop')],
    /the table is gone/,
  ],
  [
    'metadata that tells of no end',
    [
      ...withoutMetadata(),
      { write: 'metadata', text: '[config]\nquote-character = BACKTICK\n' },
      { close: 'metadata' },
    ],
    /no finished dump/,
  ],
  [
    'an error after "Finished dump" and exit 1',
    dumpThen(error('could not write the last'), { exit: 1 }),
    /could not write the last/,
  ],
  ['a death by signal', dumpThen({ killItself: 'SIGSEGV' }), /killed by SIGSEGV/],
  ['a death in the middle', [...withoutMetadata(), { killItself: 'SIGKILL' }], /killed by SIGKILL/],
])('%s fails the run with mydumper’s own reason', async (_what, steps, reason) => {
  await expectFailure(world, await runFake(world, steps), 4, reason);
});

test.each([
  ['ignores signals', 'SIGTERM', 143, [{ ignoreSignals: true }]],
  ['stalls', 'SIGTERM', 143, []],
  ['stalls', 'SIGINT', 130, []],
] as const)('one that %s is ended with the run by %s', async (_what, signal, exitCode, first) => {
  const running = startFake(world, [
    ...first,
    ...withoutMetadata(),
    { log: '2026-11-24 08:00:01 [WARNING] - nothing more to say' },
    { sleepMilliseconds: 600_000 },
  ]);
  await running.printed('nothing more to say');
  running.child.kill(signal);
  await expectFailure(world, await running.ended, exitCode, new RegExp(`interrupted by ${signal}`));
});

test('one that stalls for a while with nothing to ship is waited for', async () => {
  const running = startFake(world, [{ sleepMilliseconds: 1500 }, ...upstreamDump('shop')]);
  await running.printed('"event":"started"');
  expect((await running.ended).code).toBe(0);
});

test('a process of its own that it left behind goes with the run', async () => {
  const running = startFake(world, [...withoutMetadata(), { leaveChild: true }, { exit: 1 }]);
  onTestFinished(killLeft);
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), 20_000);
  const ended = await running.ended.finally(() => clearTimeout(deadline));
  expect(ended.signal, 'killed for hanging').toBe(null);
  await expectFailure(world, ended, 4, /exit code 1/);
});

test('a flood of log lines neither blocks it, nor is kept, nor hides what comes after', async () => {
  const flood: FakeStep = {
    log: `2026-11-24 08:00:00 [INFO] - ${'one of very many lines '.repeat(40)}`,
    repeat: 3000,
  };
  const steps = [...Array<FakeStep>(100).fill(flood), ...dumpThen(error('after the flood'))];
  const running = startFake(world, steps, { environment: { LOG_LEVEL: 'ERROR' } });
  let peakKiB = 0;
  const sampler = setInterval(() => {
    peakKiB = Math.max(peakKiB, residentKiB(running.pid));
  }, 20);
  const ended = await running.ended.finally(() => clearInterval(sampler));
  await expectFailure(world, ended, 4, /after the flood/);
  expect(peakKiB).toBeGreaterThan(0);
  expect(peakKiB).toBeLessThan(400 * 1024);
});

test('a log line of many megabytes is read like any other', async () => {
  const long: FakeStep = { log: `2026-11-24 08:00:00 [INFO] - ${'x'.repeat(8 * 1024 * 1024)}` };
  const steps = [long, ...dumpThen(error('after it'))];
  const ended = await runFake(world, steps, { environment: { LOG_LEVEL: 'ERROR' } });
  await expectFailure(world, ended, 4, /after it/);
});

test('the end of our own log arrives though its reader was slow', async () => {
  const flood: FakeStep = { log: '2026-11-24 08:00:00 [INFO] - one of many lines', repeat: 20_000 };
  const running = startFake(world, [flood, ...dumpThen(error('the very last'))]);
  running.child.stdout?.pause();
  // The program sends this last, and then only has to end.
  await vi.waitFor(() => expect(world.cloudwatch.sum('BackupFailed')).toBe(1), { timeout: 30_000 });
  running.child.stdout?.resume();
  await expectFailure(world, await running.ended, 4, /the very last/);
});

test.each([
  ['mydumper 0.12.7-1, built against MySQL 8.0.29', /not mydumper 0\.9, 0\.10 or 1\.x/],
  ['mydumper v2.0.0-1, built against MySQL 9.7.0', /not mydumper 0\.9, 0\.10 or 1\.x/],
  ['bash: no such thing', /not mydumper/],
])('a tool that says %j is refused', async (version, reason) => {
  await expectFailure(world, await runFake(world, [], { version }), 3, reason);
  expect(existsSync(world.staging)).toBe(false);
});

test('a tool whose version command fails is refused', async () => {
  const ended = await runFake(world, upstreamDump('shop'), { versionCommand: 'fails' });
  await expectFailure(world, ended, 3, /MYDUMPER_BIN=".*": Command failed/);
});

test('a tool that hangs when asked for its version is ended with the run', async () => {
  onTestFinished(killLeft);
  const running = startFake(world, [], { versionCommand: 'hangs' });
  const asked = () => processesWith(join(world.directory, 'fake'));
  await vi.waitFor(() => expect(asked()).toHaveLength(1), { timeout: 10_000, interval: 5 });
  running.child.kill('SIGTERM');
  const ended = await running.ended;
  await vi.waitFor(() => expect(asked()).toEqual([]), { timeout: 5000, interval: 20 });
  await expectFailure(world, ended, 143, /interrupted by SIGTERM/);
});

test.each([
  ['/nowhere/mydumper', /MYDUMPER_BIN="\/nowhere\/mydumper": not found/],
  ['/etc/passwd', /MYDUMPER_BIN="\/etc\/passwd": .*EACCES/],
])('a tool at %s is refused', async (binary, reason) => {
  const ended = await runProgram(world.environment({ MYDUMPER_BIN: binary }));
  await expectFailure(world, ended, 3, reason);
});

/** What a faulty program leaves behind must not outlive the test. */
function killLeft(): void {
  for (const { pid } of processesWith(world.directory)) process.kill(pid, 'SIGKILL');
}

function residentKiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
  } catch {
    return 0; // gone
  }
}
