import { existsSync } from 'node:fs';
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
import { expectFailure, runFake, startFake } from '../support/fake-run.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { runProgram } from '../support/program.ts';
import { createShop, ONE_DATABASE, played } from '../support/recording/play.ts';
import { killLeft, startWorld, type World } from './world.ts';

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

test.each([
  ['mydumper 0.12.7-1, built against MySQL 8.0.29', /not mydumper 0\.9, 0\.10 or 1\.x/],
  ['mydumper v2.0.0-1, built against MySQL 9.7.0', /not mydumper 0\.9, 0\.10 or 1\.x/],
  ['bash: no such thing', /not mydumper/],
])('a tool that says %j is refused', async (version, reason) => {
  await expectFailure(world, await runFake(world, [], { version }), 3, reason);
  expect(existsSync(world.staging)).toBe(false);
});

test.each([
  [
    "Authentication plugin 'mysql_native_password' cannot be loaded: " +
      '/usr/lib/mysql/plugin/mysql_native_password.so: cannot open shared object file: ' +
      'No such file or directory',
    new RegExp(
      "^mydumper 1\\.0\\.1-3 with MySQL's client library 9\\.7\\.4 cannot log in as root: " +
        'that library has no mysql_native_password',
    ),
  ],
  [
    "Authentication plugin 'caching_sha2_password' reported error: " +
      'Authentication requires secure connection.',
    /cannot log in as root without TLS: .* Set TLS_MODE=required$/,
  ],
  [
    'SSL connection error: unsupported protocol',
    /^TLS_MODE=preferred: mydumper .* refuses the server that/,
  ],
])(
  'a mydumper that reports %j about its connection is refused before the dump',
  async (connection, reason) => {
    await expectFailure(world, await runFake(world, [], { connection }), 3, reason);
  },
);

test('the dump decides about an unknown report of mydumper about its connection', async () => {
  const steps = [
    { log: '\n** (mydumper:1): CRITICAL **: 08:00:00.000: the dump itself' },
    { exit: 1 },
  ];
  const ended = await runFake(world, steps, { connection: 'Something new' });
  await expectFailure(world, ended, 4, /the dump itself/);
});

test('a tool whose version command fails is refused', async () => {
  const ended = await runFake(world, played(ONE_DATABASE), { versionCommand: 'fails' });
  await expectFailure(world, ended, 3, /MYDUMPER_BIN=".*": Command failed/);
});

test('a tool that hangs when asked for its version is ended with the run', async () => {
  onTestFinished(() => killLeft(world));
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
