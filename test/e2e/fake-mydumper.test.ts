import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import type { FakeStep } from '../support/fake-mydumper.ts';
import { expectFailure, runFake, startFake } from '../support/fake-run.ts';
import { WITH_BINARY_LOG } from '../support/mariadb/binary-log.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { logLines } from '../support/program.ts';
import { createShop, ONE_DATABASE, played, playedInHalves } from '../support/recording/play.ts';
import { readRecording } from '../support/recording/recording.ts';
import { BUCKET, killLeft, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb({ config: WITH_BINARY_LOG });
  await createShop(db);
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(() => world?.stop());

/** The steps of a whole dump recorded from 1.x, with these in place of its exit. */
const dumpThen = (...instead: FakeStep[]): FakeStep[] => {
  const { dump, end } = playedInHalves();
  return [...dump, ...end, ...instead];
};
const withoutMetadata = (): FakeStep[] => playedInHalves().dump;
const logged = (level: 'WARNING' | 'CRITICAL', text: string): FakeStep => ({
  log: `\n** (mydumper:1): ${level} **: 08:00:00.000: ${text}`,
});
const error = (text: string): FakeStep => logged('CRITICAL', text);
const message = (text: string) => `** Message: 08:00:00.000: ${text}`;

test.each([ONE_DATABASE, 'mysql-client/mysql-9/one-database'])(
  'a dump by 1.x as in %s: its files, names, binlog position and arguments',
  async (recording) => {
    const argumentsPath = join(world.directory, 'arguments');
    const optionsPath = join(world.directory, 'options');
    const record: FakeStep[] = [
      { recordArguments: argumentsPath },
      { recordOptionFile: optionsPath },
    ];
    const { code, stdout } = await runFake(world, [...record, ...played(recording)]);
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });

    const manifest = await readOnlyManifest(world.s3, BUCKET);
    expect(manifest.mydumper.version).toBe('1.0.1-3');
    const isMariaDb = recording === ONE_DATABASE;
    expect(manifest.binlog).toEqual({
      file: 'binlog.000001',
      position: 4711,
      gtid: isMariaDb ? '0-7-100' : '3e11fa47-71ca-11e1-9e33-c80aa9429562:1-100',
    });
    expect(
      manifest.files.map(({ name, kind, database, table }) => [name, kind, database, table]),
    ).toEqual([
      ['metadata', 'metadata', null, null],
      ['shop-schema-create.sql', 'schema', 'shop', null],
      ['shop-schema-post.sql', 'post', 'shop', null],
      ['shop.customers-schema.sql', 'schema', 'shop', 'customers'],
      ['shop.customers.00000.sql', 'data', 'shop', 'customers'],
      ['shop.empty-schema.sql', 'schema', 'shop', 'empty'],
      ['shop.mydumper_0-schema.sql', 'schema', 'shop', 'mydumper_0'],
      ['shop.mydumper_0.00000.sql', 'data', 'shop', 'mydumper_0'],
      ['shop.orders-schema-triggers.sql', 'triggers', 'shop', 'orders'],
      ['shop.orders-schema.sql', 'schema', 'shop', 'orders'],
      ['shop.orders.00000.sql', 'data', 'shop', 'orders'],
      ['shop.totals-schema-view.sql', 'view', 'shop', 'totals'],
      ['shop.totals-schema.sql', 'schema', 'shop', 'totals'],
    ]);
    const recorded = readRecording(recording).files;
    for (const { key, name } of manifest.files) {
      const { lines, base64 } = recorded[name] ?? {};
      const content =
        base64 === undefined ? Buffer.from(lines?.join('\n') ?? '') : Buffer.from(base64, 'base64');
      expect((await world.s3.readObject(BUCKET, key)).equals(content), name).toBe(true);
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
  },
);

test('0.10 that crashes is started again with several databases, not with one', async () => {
  await db.query('CREATE DATABASE another');
  try {
    const version = 'mydumper 0.10.0, built against MySQL 10.11.14';
    const crash: FakeStep[] = [{ killItself: 'SIGSEGV' }];
    const again = async (databases: string) => {
      const environment = { DATABASES: databases };
      const { code, stdout } = await runFake(world, crash, { version, environment });
      expect(code).toBe(4);
      return logLines(stdout).filter(({ message }) =>
        /killed by SIGSEGV; retrying/.test(String(message)),
      );
    };
    expect(await again('shop,another')).toHaveLength(2);
    expect(await again('shop')).toHaveLength(0);
  } finally {
    await db.query('DROP DATABASE another');
  }
});

test('a warning reports a position that the server has and mydumper did not record', async () => {
  const steps = played(ONE_DATABASE).map((step) =>
    'text' in step ? { ...step, text: step.text.replace(/\[source\]\n(?:.+\n)+/, '') } : step,
  );
  const { code, stdout } = await runFake(world, steps);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const messages = logLines(stdout)
    .filter(({ event }) => event === 'warning')
    .map(({ message: text }) => text);
  expect(messages).toContainEqual(expect.stringMatching(/^mydumper recorded no position/));
  expect((await readOnlyManifest(world.s3, BUCKET)).binlog).toBeNull();
});

test.each<[string, FakeStep[], RegExp]>([
  [
    'an error in the middle and exit 0',
    [error('the table is gone'), ...played(ONE_DATABASE)],
    /the table is gone/,
  ],
  [
    'metadata without an end',
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
] as const)(
  'a mydumper that %s ends with the run by %s',
  async (_what, signal, exitCode, first) => {
    const running = startFake(world, [
      ...first,
      ...withoutMetadata(),
      logged('WARNING', 'nothing more to say'),
      { sleepMilliseconds: 600_000 },
    ]);
    await running.printed('nothing more to say');
    running.child.kill(signal);
    await expectFailure(
      world,
      await running.ended,
      exitCode,
      new RegExp(`interrupted by ${signal}`),
    );
  },
);

test('the run waits for a mydumper that stalls for a while with nothing to ship', async () => {
  const running = startFake(world, [{ sleepMilliseconds: 1500 }, ...played(ONE_DATABASE)]);
  await running.printed('"event":"started"');
  expect((await running.ended).code).toBe(0);
});

test('a child that mydumper left behind ends with the run', async () => {
  const running = startFake(world, [...withoutMetadata(), { leaveChild: true }, { exit: 1 }]);
  onTestFinished(() => killLeft(world));
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), 20_000);
  const ended = await running.ended.finally(() => clearTimeout(deadline));
  expect(ended.signal, 'killed for hanging').toBe(null);
  await expectFailure(world, ended, 4, /exit code 1/);
});

test('a flood of log lines does not block, fill memory or hide later lines', async () => {
  const flood: FakeStep = {
    log: message('one of very many lines '.repeat(40)),
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
  const long: FakeStep = { log: message('x'.repeat(8 * 1024 * 1024)) };
  const steps = [long, ...dumpThen(error('after it'))];
  const ended = await runFake(world, steps, { environment: { LOG_LEVEL: 'ERROR' } });
  await expectFailure(world, ended, 4, /after it/);
});

test('the end of our own log arrives though its reader was slow', async () => {
  const flood: FakeStep = { log: message('one of many lines'), repeat: 20_000 };
  const running = startFake(world, [flood, ...dumpThen(error('the very last'))]);
  running.child.stdout?.pause();
  // The program sends this last, and then only has to end.
  await vi.waitFor(() => expect(world.cloudwatch.sum('BackupFailed')).toBe(1), { timeout: 30_000 });
  running.child.stdout?.resume();
  await expectFailure(world, await running.ended, 4, /the very last/);
});

function residentKiB(pid: number): number {
  try {
    return Number(
      /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0,
    );
  } catch {
    return 0; // gone
  }
}
