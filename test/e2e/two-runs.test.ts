import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { logLines, type RunningProgram, runProgram, startProgram } from '../support/program.ts';
import { manifestKeys, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;
let first: RunningProgram;

beforeAll(async () => {
  db = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 30, tables: 2, rowBytes: 1000 });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
  world.s3.setBandwidth(2e6);
  first = startProgram(world.environment({ STAGING_LIMIT_MB: '16', COMPRESS: 'none' }));
  await first.printed('"event":"paused"');
});
afterEach(async () => {
  first?.child.kill('SIGKILL');
  await world?.stop();
});

async function firstSucceeds(): Promise<void> {
  world.s3.setBandwidth(undefined);
  const { code, stdout } = await first.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
}

const reasonOf = (stdout: string) =>
  logLines(stdout).find(({ event }) => event === 'failed')?.reason;

test('a second run of the same source is refused and does not disturb the first', async () => {
  const second = await runProgram(world.environment({ OUTPUTDIR: join(world.directory, 'other') }));
  expect(second.code).toBe(3);
  expect(reasonOf(second.stdout)).toMatch(
    /another run for source test-db is active .*"mydumper-fargate:test-db"/,
  );
  await firstSucceeds();
  expect(await manifestKeys(world)).toHaveLength(1);
});

test('a second source with the same staging directory is refused and leaves it alone', async () => {
  const second = await runProgram(world.environment({ SOURCE: 'another' }));
  expect(second.code).toBe(3);
  expect(reasonOf(second.stdout)).toMatch(/is in use by another run \(process \d+\)/);
  await firstSucceeds();
});

test('runs of two sources side by side both succeed', async () => {
  const second = startProgram(
    world.environment({ SOURCE: 'another', OUTPUTDIR: join(world.directory, 'other') }),
  );
  await second.printed('"event":"started"');
  await firstSucceeds();
  expect((await second.ended).code).toBe(0);
  expect(await manifestKeys(world)).toHaveLength(2);
});

test('a run that was killed does not stand in the next one’s way', async () => {
  first.child.kill('SIGKILL');
  await first.ended;
  world.s3.setBandwidth(undefined);
  expect((await runProgram(world.environment())).code).toBe(0);
});

test('consecutive runs of one source get separate folders', async () => {
  await db.query('CREATE DATABASE tiny');
  await db.query('CREATE TABLE tiny.t (id int PRIMARY KEY)');
  const short = { SOURCE: 'tiny', DATABASES: 'tiny', OUTPUTDIR: join(world.directory, 'tiny') };
  for (let run = 0; run < 3; run += 1)
    expect((await runProgram(world.environment(short))).code).toBe(0);
  expect((await manifestKeys(world)).filter((key) => key.startsWith('tiny/'))).toHaveLength(3);
  await firstSucceeds();
});
