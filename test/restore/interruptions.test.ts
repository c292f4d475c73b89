import { expect, test } from 'vitest';
import {
  copy,
  dies,
  endsBy,
  goesOn,
  inTheMiddle,
  isWhole,
  loadedFiles,
  useInterruptions,
  world,
} from './interrupting.ts';
import { makeBackup, restoreInto } from './setting.ts';

useInterruptions(['chunks', 'huge']);

test('SIGTERM in the middle ends it with 143; the same command resumes', async () => {
  await endsBy('SIGTERM', 143, 'chunks');
  await goesOn('chunks', await loadedFiles());
});

test('after SIGKILL in the middle of a file the same command resumes after its mark', async () => {
  await dies('huge');
  await goesOn('huge', await loadedFiles());
});

test('connections of the server that are killed are opened again, and no row is lost', async () => {
  const running = await inTheMiddle('huge');
  world.s3.setBandwidth(undefined);
  for (let times = 0; times < 3; times += 1) {
    const sessions = await copy.query(
      "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = 'shop' AND COMMAND <> 'Daemon'",
    );
    for (const { ID } of sessions) await copy.query(`KILL ${ID}`).catch(() => {});
  }
  const { code, stdout } = await running.ended;
  // The table without transactions may have been half loaded.
  expect([0, 8], stdout).toContain(code);
  if (code === 8) {
    expect(stdout).toContain('its table has no transactions');
    await goesOn('huge', await loadedFiles());
  } else await isWhole();
  expect(stdout).toContain('resuming after the last commit');
});

test('a refused statement ends with exit 8; after a fix the command resumes', async () => {
  const running = await inTheMiddle('chunks');
  // A row of the table that is loaded last is there already.
  await copy.query("INSERT INTO shop.bulk_1 VALUES (36000, 1, NULL, '', 1, '')");
  const { code, stdout } = await running.ended;
  expect(code).toBe(8);
  expect(stdout).toContain('Duplicate entry');
  await copy.query("DELETE FROM shop.bulk_1 WHERE hash = ''");
  await goesOn('chunks', await loadedFiles());
});

test('UUID, INET6 and INET4 values come back; a database without tables has its routines', async ({
  skip,
}) => {
  skip(world.db.vendor === 'mysql', 'MySQL has no such types');
  await world.db.query('CREATE DATABASE addresses');
  await world.db.query(
    'CREATE TABLE addresses.ids (id uuid, b binary(16), six inet6, four inet4, t text)',
  );
  await world.db.query(
    "INSERT INTO addresses.ids VALUES (uuid(), unhex(md5(1)), '::1', '10.0.0.1', 'a'), " +
      "(uuid(), unhex(md5(2)), '2001:db8::7', '255.255.255.255', '_binary \"x\"'), " +
      '(NULL, NULL, NULL, NULL, NULL)',
  );
  await world.db.query("CREATE DATABASE only_routines CHARACTER SET latin1 COMMENT 'a; b'");
  await world.db.query('CREATE PROCEDURE only_routines.p() SELECT 1');
  await makeBackup(world, { SOURCE: 'odd', DATABASES: 'addresses,only_routines' });
  const { code, stdout } = await restoreInto(world, copy, ['--check'], { SOURCE: 'odd' });
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const rows = 'SELECT id, HEX(b) AS b, six, four, t FROM addresses.ids ORDER BY four';
  expect(await copy.query(rows)).toEqual(await world.db.query(rows));
  const [procedure] = await copy.query('SHOW CREATE PROCEDURE only_routines.p');
  expect(procedure?.['Database Collation']).toMatch(/^latin1/);
});
