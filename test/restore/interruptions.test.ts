import { expect, test } from 'vitest';
import { logLines } from '../support/program.ts';
import {
  copy,
  dies,
  endsBy,
  goesOn,
  inTheMiddle,
  loadedIds,
  useInterruptions,
  world,
} from './interrupting.ts';
import { makeBackup, restoreInto } from './setting.ts';

useInterruptions(['chunks', 'huge']);

test('SIGTERM in the middle ends it with 143; the same command resumes', async () => {
  await endsBy('SIGTERM', 143, 'chunks');
  await goesOn('chunks', await loadedIds());
});

test('SIGKILL in the middle of a cut file ends myloader, and the command resumes', async () => {
  await dies('huge');
  await goesOn('huge', await loadedIds());
});

test('a refused statement ends with exit 8; after a fix the command resumes', async () => {
  const running = await inTheMiddle('chunks');
  // A row of the table that is loaded last is there already.
  await copy.query("INSERT INTO shop.bulk_1 VALUES (36000, 1, NULL, '', 1, '')");
  const { code, stdout } = await running.ended;
  expect(code).toBe(8);
  expect(stdout).toContain('Duplicate entry');
  await copy.query("DELETE FROM shop.bulk_1 WHERE hash = ''");
  await goesOn('chunks', await loadedIds());
});

test('changed values fault --check; a database without tables has its routines', async () => {
  await world.db.query('CREATE DATABASE lost');
  await world.db.query('CREATE TABLE lost.ids (id uuid)');
  await world.db.query('INSERT INTO lost.ids VALUES (uuid())');
  await world.db.query("CREATE DATABASE only_routines CHARACTER SET latin1 COMMENT 'a; b'");
  await world.db.query('CREATE PROCEDURE only_routines.p() SELECT 1');
  await makeBackup(world, { SOURCE: 'odd', DATABASES: 'lost,only_routines' });
  const { code, stdout } = await restoreInto(world, copy, ['--check'], { SOURCE: 'odd' });
  expect(code).toBe(7);
  expect(stdout).toMatch(/myloader changes UUID, INET6 and INET4 values.*lost\.ids\.id/);
  expect(logLines(stdout).filter(({ event }) => event === 'fault')).toEqual([
    expect.objectContaining({
      key: 'lost.ids.id',
      reason: 'holds values that myloader has changed',
    }),
  ]);
  const [procedure] = await copy.query('SHOW CREATE PROCEDURE only_routines.p');
  expect(procedure?.['Database Collation']).toMatch(/^latin1/);
});
