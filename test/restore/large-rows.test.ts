import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { dropAll, makeBackup, restoreInto } from './setting.ts';

const MIB = 1024 * 1024;
let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld({ db: { config: [`max_allowed_packet=${64 * MIB}`] } });
  copy = await startMariaDb();
  await world.db.query('CREATE DATABASE shop');
  await world.db.query('CREATE TABLE shop.large (id int PRIMARY KEY, b longblob)');
  for (const [id, mib] of [1, 3, 0, 21, 2, 1].entries())
    await world.db.query(
      `INSERT INTO shop.large VALUES (${id}, REPEAT('\\0''x;\\n', ${(mib * MIB) / 8 + 1}))`,
    );
  await makeBackup(world, {
    COMPRESS: 'zstd',
    STAGING_LIMIT_MB: '400',
    CHUNK_FILE_SIZE_MB: '1024',
  });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
afterEach(() => dropAll(copy));

test('a row above max_allowed_packet is refused, and loads once it is raised', async () => {
  await copy.query(`SET GLOBAL max_allowed_packet = ${16 * MIB}`);
  const refused = await restoreInto(world, copy, ['--check']);
  expect(refused.code).toBe(8);
  expect(refused.stdout).toMatch(
    /a row of table \\"large\\" takes \d+ bytes or more, but the server takes .* 16777152 bytes/,
  );
  await copy.query(`SET GLOBAL max_allowed_packet = ${48 * MIB}`);
  const { code, stdout } = await restoreInto(world, copy, ['--check']);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const before = await describeServer(world.db, ['shop']);
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});
