import { existsSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { createBulkDatabase } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { logLines, runProgram } from '../support/program.ts';
import { BUCKET, leftInStaging, manifestKeys, startWorld, type World } from './world.ts';

let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
  await createBulkDatabase(db, { name: 'bulk', megabytes: 4, tables: 2, rowBytes: 1000 });
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
});
afterEach(async () => {
  await world?.stop();
});

/** The reason of the only `failed` line. */
function reasonIn(stdout: string): string {
  const failures = logLines(stdout).filter(({ event }) => event === 'failed');
  expect(failures).toHaveLength(1);
  return String(failures[0]?.reason);
}

async function expectNoBackup(): Promise<void> {
  expect(await manifestKeys(world)).toEqual([]);
  expect(await world.s3.multipartUploads(BUCKET)).toEqual([]);
  expect(leftInStaging(world)).toEqual([]);
  expect(processesWith(world.staging)).toEqual([]);
  expect(world.cloudwatch.sum('BackupFailed')).toBe(1);
}

test('a database that is not there is refused by name', async () => {
  const { code, stdout } = await runProgram(world.environment({ DATABASES: 'bulk, nowhere' }));
  expect(code).toBe(3);
  expect(reasonIn(stdout)).toMatch(/DATABASES: "nowhere" is not there/);
  expect(existsSync(world.staging)).toBe(false);
  await expectNoBackup();
});

test('a user with LOCK TABLES and without RELOAD gets a consistent backup', async () => {
  await db.query("CREATE USER locker@'127.0.0.1' IDENTIFIED BY 'a secret'");
  await db.query(
    "GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, LOCK TABLES ON bulk.* TO locker@'127.0.0.1'",
  );
  const { code, stdout } = await runProgram(
    world.environment({ USERNAME: 'locker', PASSWORD: 'a secret', DATABASES: 'bulk' }),
  );
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const manifest = await readOnlyManifest(world.s3, BUCKET);
  expect(manifest.consistency).toMatchObject({
    lock: 'lock-all',
    description: expect.stringContaining('one point in time'),
  });
});

test('a user without any lock privilege is refused, with the way out', async () => {
  await db.query("CREATE USER reader@'127.0.0.1'");
  await db.query("GRANT SELECT, SHOW VIEW, TRIGGER, EVENT ON bulk.* TO reader@'127.0.0.1'");
  const { code, stdout } = await runProgram(
    world.environment({ USERNAME: 'reader', PASSWORD: '' }),
  );
  expect(code).toBe(3);
  expect(reasonIn(stdout)).toMatch(/RELOAD.*LOCK TABLES.*LOCK_MODE=none/);
  expect(existsSync(world.staging)).toBe(false);
  await expectNoBackup();
});

// Flags that narrow the dump may leave the view out. So preflight does not refuse a view that the
// user may not read.
test('an unreadable view makes a narrowed dump fail with mydumper’s own error', async () => {
  await db.query('CREATE DATABASE IF NOT EXISTS partly');
  await db.query('CREATE TABLE partly.open (a int)');
  await db.query('CREATE VIEW partly.broken AS SELECT a FROM partly.open');
  await db.query("CREATE USER partly@'127.0.0.1'");
  await db.query("GRANT SELECT, TRIGGER, EVENT, LOCK TABLES ON partly.* TO partly@'127.0.0.1'");
  try {
    const user = { USERNAME: 'partly', PASSWORD: '' };
    const refused = await runProgram(world.environment(user));
    expect(refused.code).toBe(3);
    expect(reasonIn(refused.stdout)).toMatch(
      /SHOW VIEW.*"partly\.broken".*GRANT SHOW VIEW ON `partly`/,
    );
    const narrowed = await runProgram(
      world.environment({ ...user, MYDUMPER_ARGS: '--regex=^partly' }),
    );
    expect(narrowed.code).toBe(4);
    expect(reasonIn(narrowed.stdout)).toMatch(/mydumper.*SHOW VIEW command denied/);
    expect(await manifestKeys(world)).toEqual([]);
  } finally {
    await db.query('DROP DATABASE partly');
  }
});
