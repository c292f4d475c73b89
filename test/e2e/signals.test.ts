import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { type RunningProgram, startProgram } from '../support/program.ts';
import { BUCKET, leftInStaging, manifestKeys, startWorld, type World } from './world.ts';

/** What Fargate is promised (invariant 8). */
const SHUTDOWN_MILLISECONDS = 20_000;

let db: MariaDb;
let world: World;
let program: RunningProgram | undefined;

beforeAll(async () => {
  db = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 60, tables: 3, rowBytes: 1000 });
  await createBulkDatabase(db, { name: 'tiny', megabytes: 0.1, tables: 1 });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  program?.child.kill('SIGKILL');
  await world?.stop();
});

/** A run on a slow network, in the middle of its dump. */
async function inTheMiddle(extra: Record<string, string> = {}): Promise<RunningProgram> {
  world.s3.setBandwidth(2e6);
  program = startProgram(world.environment({ STAGING_LIMIT_MB: '16', COMPRESS: 'none', ...extra }));
  await program.printed('"event":"paused"');
  return program;
}

async function endsInTime(
  running: RunningProgram,
): Promise<{ code: number | null; stdout: string }> {
  const deadline = setTimeout(() => running.child.kill('SIGKILL'), SHUTDOWN_MILLISECONDS);
  const { code, signal, stdout } = await running.ended.finally(() => clearTimeout(deadline));
  expect(signal, 'killed for not ending in time').toBe(null);
  return { code, stdout };
}

async function expectNothingLeft(): Promise<void> {
  expect(await manifestKeys(world)).toEqual([]);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
}

test('SIGTERM while a large file goes up in parts aborts its multipart upload', async () => {
  const running = await inTheMiddle({ CHUNK_FILE_SIZE_MB: '1024', COMPRESS: 'zstd', THREADS: '1' });
  await vi.waitFor(async () => expect(await world.s3.multipartUploads(BUCKET)).not.toEqual([]), {
    timeout: 20_000,
  });
  running.child.kill('SIGTERM');
  expect((await endsInTime(running)).code).toBe(143);
  await expectNothingLeft();
});

/** A backup of little, on a network as fast as it gets. */
function quickRun(): RunningProgram {
  program = startProgram(world.environment({ DATABASES: 'tiny' }));
  return program;
}

async function expectBackup(running: RunningProgram): Promise<void> {
  const { code, stdout } = await endsInTime(running);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  expect(await manifestKeys(world)).toHaveLength(1);
  expect(leftInStaging(world)).toEqual([]);
  expect(world.cloudwatch.sum('BackupSucceeded')).toBe(1);
}

test('SIGINT during the write of the manifest, its answer lost: a backup, exit 0', async () => {
  const manifest = { operation: 'PutObject', key: /manifest\.json$/ } as const;
  const held = world.s3.faults.add({ ...manifest, action: { kind: 'stall', milliseconds: 300 } });
  world.s3.faults.add({ ...manifest, action: { kind: 'lost-answer' } });
  const running = quickRun();
  await vi.waitFor(() => expect(held.hits).toBe(1), { timeout: 20_000, interval: 5 });
  running.child.kill('SIGINT');
  await expectBackup(running);
});

test('signals after the backup is made change nothing until the program ends', async () => {
  const running = quickRun();
  await running.printed('"event":"succeeded"');
  let isOver = false;
  const ended = running.ended.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    running.child.kill('SIGTERM');
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await ended).toMatchObject({ code: 0, signal: null });
  expect(await manifestKeys(world)).toHaveLength(1);
});

test('SIGTERM while MySQL takes the connection and never answers', async () => {
  const silent = createServer();
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  try {
    const address = silent.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
    program = startProgram(world.environment({ PORT: String(port) }));
    await connected;
    program.child.kill('SIGTERM');
    expect((await endsInTime(program)).code).toBe(143);
    await expectNothingLeft();
    expect(existsSync(world.staging)).toBe(false);
  } finally {
    silent.close();
  }
});

test('a foreign file among the leftovers is refused and left alone', async () => {
  const running = await inTheMiddle();
  running.child.kill('SIGKILL');
  await running.ended;
  await vi.waitFor(() => expect(processesWith(world.staging)).toEqual([]), { timeout: 10_000 });
  writeFileSync(join(world.staging, 'precious.txt'), 'mine');
  const before = readdirSync(world.staging).toSorted();
  program = startProgram(world.environment());
  const { code, stdout } = await program.ended;
  expect(code).toBe(3);
  expect(stdout).toContain('precious.txt');
  expect(readdirSync(world.staging).toSorted()).toEqual(before);
  expect(readFileSync(join(world.staging, 'precious.txt'), 'utf8')).toBe('mine');
});

test('a foreign file in staging outlives an interrupted run', async () => {
  world.s3.faults.add({
    operation: ['PutObject', 'UploadPart'],
    skip: 6,
    times: Number.POSITIVE_INFINITY,
    action: { kind: 'stall', milliseconds: 600_000 },
  });
  const running = await inTheMiddle();
  writeFileSync(join(world.staging, 'precious.txt'), 'mine');
  running.child.kill('SIGTERM');
  await endsInTime(running);
  expect(leftInStaging(world)).toEqual(['precious.txt']);
  expect(readFileSync(join(world.staging, 'precious.txt'), 'utf8')).toBe('mine');
});
