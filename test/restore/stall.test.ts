import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { leftInStaging, startWorld, type World } from '../e2e/world.ts';
import { rowNumbers } from '../support/mariadb/sql.ts';
import { processesWith } from '../support/processes.ts';
import { type Ended, logLines, runProgram, startProgram } from '../support/program.ts';
import { makeBackup } from './setting.ts';

let world: World;

beforeAll(async () => {
  world = await startWorld();
  await world.db.query('CREATE DATABASE shop');
  await world.db.query('CREATE TABLE shop.orders (id int PRIMARY KEY) ENGINE=InnoDB');
  await world.db.query(`INSERT INTO shop.orders SELECT seq FROM ${rowNumbers(world.db, 1000)}`);
  await makeBackup(world, { DATABASES: 'shop' });
});
afterAll(() => world?.stop());

const RESTORE = ['restore', 'latest', '--databases', 'shop', '--as', 'copy'];

function expectFailed({ code, stdout }: Ended, reason: RegExp): void {
  expect(logLines(stdout).filter(({ event }) => event === 'failed')).toEqual([
    expect.objectContaining({ exitCode: 8, message: expect.stringMatching(reason) }),
  ]);
  expect(code).toBe(8);
  expect(leftInStaging(world)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
}

test('an idle myloader is ended, and the same command resumes', async () => {
  const stuck = join(world.directory, 'myloader');
  writeFileSync(stuck, '#!/bin/sh\n[ "$1" = --version ] && exec myloader --version\nsleep 600\n', {
    mode: 0o755,
  });
  const settings = { MYLOADER_BIN: stuck, STALL_TIMEOUT_SECONDS: '2' };
  expectFailed(
    await runProgram(world.environment(settings), RESTORE),
    /myloader has done nothing for \d+ s \(STALL_TIMEOUT_SECONDS=2\); the last was: it was started; the MySQL server does nothing/,
  );
  const { code, stdout } = await runProgram(world.environment(), RESTORE);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(await world.db.query('SELECT COUNT(*) AS n FROM copy.orders')).toEqual([{ n: '1000' }]);
  await world.db.query('DROP DATABASE copy');
});

test('a server that stops answering while rows are loaded', async () => {
  const settings = { STALL_TIMEOUT_SECONDS: '2', QUERY_TIMEOUT_SECONDS: '2' };
  const slow = world.s3.faults.add({
    operation: 'GetObject',
    key: /orders(?:\.00000)?\.sql/,
    action: { kind: 'stall', milliseconds: 1000 },
  });
  const program = startProgram(world.environment(settings), RESTORE);
  try {
    await vi.waitFor(() => expect(slow.hits).toBe(1), { timeout: 20_000, interval: 5 });
    process.kill(world.db.pid, 'SIGSTOP');
    expectFailed(await program.ended, /STALL_TIMEOUT_SECONDS=2|QUERY_TIMEOUT_SECONDS=2/);
  } finally {
    process.kill(world.db.pid, 'SIGCONT');
  }
});
