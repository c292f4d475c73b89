import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { readOnlyManifest } from '../support/backup-folder.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverProgram } from '../support/mariadb/server-program.ts';
import { logLines, runProgram, startProgram } from '../support/program.ts';
import { BUCKET, startWorld, type World } from './world.ts';

// The programs in the dump and those in the manifest. Events only: mydumper 0.10 misreads the
// routines of MySQL 9, so the program refuses them.

const { vendor } = await serverProgram();
let db: MariaDb;
let world: World;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db?.stop());
beforeEach(async () => {
  world = await startWorld({ db });
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE TABLE shop.orders (id int PRIMARY KEY)');
  await db.query('CREATE TRIGGER shop.bi BEFORE INSERT ON shop.orders FOR EACH ROW SET @a = 1');
  for (const name of ['kept', 'dropped'])
    await db.query(`CREATE EVENT shop.${name} ON SCHEDULE EVERY 1 DAY DISABLE DO SET @a = 1`);
});
afterEach(async () => {
  await db.query('DROP DATABASE shop');
  await world?.stop();
});

/** A mydumper that waits at its first connection, which comes after the checks of the server. */
function waitingMydumper(): { path: string; waits: () => Promise<void>; proceed: () => void } {
  const path = join(world.directory, 'waiting-mydumper');
  const [hold, reached] = [join(world.directory, 'hold'), join(world.directory, 'reached')];
  writeFileSync(hold, '');
  const script = `#!/bin/sh
case "$*" in
*--version*) ;;
*) : >'${reached}'; while [ -e '${hold}' ]; do sleep 0.05; done ;;
esac
exec mydumper "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return {
    path,
    waits: () => vi.waitFor(() => expect(existsSync(reached)).toBe(true), { timeout: 30_000 }),
    proceed: () => rmSync(hold),
  };
}

const warningsOf = (stdout: string) =>
  logLines(stdout)
    .filter(({ event }) => event === 'warning')
    .map(({ message }) => String(message));

test('the manifest lists what the dump creates, without a warning', async () => {
  const { code, stdout } = await runProgram(world.environment());
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const { programs, programsUnseen } = await readOnlyManifest(world.s3, BUCKET);
  expect(programs?.map(({ kind, name }) => `${kind} ${name}`).toSorted()).toEqual([
    'event dropped',
    'event kept',
    'trigger bi',
  ]);
  expect(programsUnseen).toEqual([]);
  expect(warningsOf(stdout).filter((message) => message.includes('programs'))).toEqual([]);
});

test('programs created or dropped after the list was read are reported', async () => {
  const { path, waits, proceed } = waitingMydumper();
  const program = startProgram(world.environment({ MYDUMPER_BIN: path }));
  await waits();
  await db.query('DROP EVENT shop.dropped');
  await db.query('CREATE EVENT shop.created ON SCHEDULE EVERY 1 DAY DISABLE DO SET @a = 1');
  proceed();
  const { code, stdout } = await program.ended;
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const lines = [
    'the dump lacks programs that the server listed before it: "event shop.dropped"; ' +
      'they were dropped meanwhile, or mydumper left them out',
    'the manifest lacks the settings of programs in the dump: "event shop.created"; ' +
      'they were created during the dump',
  ];
  expect((await readOnlyManifest(world.s3, BUCKET)).programsUnseen).toEqual(lines);
  expect(warningsOf(stdout)).toEqual(expect.arrayContaining(lines));
});

test.runIf(vendor === 'mariadb')(
  'settings that the server does not report are named in log and manifest',
  async () => {
    await db.query('CREATE PROCEDURE shop.ancient() SELECT 1');
    await db.query(
      'UPDATE mysql.proc SET character_set_client = NULL, db_collation = NULL ' +
        "WHERE name = 'ancient'",
    );
    const { code, stdout } = await runProgram(world.environment());
    expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
    const line =
      'the server does not report the character set and collations of these programs, ' +
      'so the manifest lacks them: "procedure shop.ancient"';
    expect((await readOnlyManifest(world.s3, BUCKET)).programsUnseen).toEqual([line]);
    expect(warningsOf(stdout)).toEqual(expect.arrayContaining([expect.stringContaining(line)]));
  },
);
