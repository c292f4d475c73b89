import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import { counterOf } from '../../app/restore/counters.ts';
import { emptyTables } from '../../app/restore/target.ts';
import { BUCKET, startWorld, type World } from '../e2e/world.ts';
import { describeServer, differences } from '../support/mariadb/compare.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { dropAll, makeBackup, restoreInto } from './setting.ts';

let world: World;
let copy: MariaDb;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
afterEach(() => dropAll(copy));

test('a restore that ended at a view resumes, also when another view needs that one', async () => {
  for (const statement of [
    'CREATE DATABASE shop',
    'CREATE DATABASE elsewhere',
    'CREATE TABLE elsewhere.t (a int)',
    'CREATE VIEW shop.z_last AS SELECT a FROM elsewhere.t',
    'CREATE VIEW shop.a_first AS SELECT a FROM shop.z_last',
  ])
    await world.db.query(statement);
  await makeBackup(world, { DATABASES: 'shop' });
  const refused = await restoreInto(world, copy);
  expect(refused.code).toBe(8);
  expect(refused.stdout).toMatch(/z_last-schema-view\.sql\.zst: the MySQL server refused/);
  await copy.query('CREATE DATABASE elsewhere');
  await copy.query('CREATE TABLE elsewhere.t (a int)');
  const { code, stdout } = await restoreInto(world, copy, ['--check']);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const before = await describeServer(world.db, ['shop']);
  expect(differences(before, await describeServer(copy, ['shop']))).toEqual([]);
});

test('a table that is emptied keeps its AUTO_INCREMENT, or gets that of the backup', async () => {
  const database = await openDatabase(serverAddress(copy));
  try {
    await copy.query('CREATE DATABASE shop');
    await copy.query(
      "CREATE TABLE shop.t (id int PRIMARY KEY AUTO_INCREMENT COMMENT ' AUTO_INCREMENT=3 ') " +
        'AUTO_INCREMENT=500',
    );
    await copy.query('INSERT INTO shop.t VALUES (7)');
    const table = JSON.stringify(['shop', 't']);
    const there = new Map([
      [table, { type: 'table', transactional: true, merges: false } as const],
    ]);
    const counter = async () => {
      const [row] = await copy.query('SHOW CREATE TABLE shop.t');
      return counterOf(String(row?.['Create Table']));
    };
    await emptyTables({ database, as: undefined }, [table], there);
    expect(await counter()).toBe(500);
    const inBackup = async () => 'CREATE TABLE `t` (...) ENGINE=InnoDB AUTO_INCREMENT=900 X';
    await emptyTables({ database, as: undefined }, [table], there, inBackup);
    expect(await counter()).toBe(900);
    expect(await copy.query('SELECT * FROM shop.t')).toEqual([]);
  } finally {
    await database.close();
  }
});

test('AUTO_INCREMENT comes back above rows that were deleted', async () => {
  await world.db.query('CREATE DATABASE counted');
  await world.db.query('CREATE TABLE counted.t (id int PRIMARY KEY AUTO_INCREMENT)');
  await world.db.query('INSERT INTO counted.t VALUES (1), (100)');
  await world.db.query('DELETE FROM counted.t WHERE id = 100');
  await makeBackup(world, { DATABASES: 'counted', SOURCE: 'counted' });
  const options = { SOURCE: 'counted' };
  const { code, stdout } = await restoreInto(world, copy, ['--check'], options);
  expect({ code, log: code === 0 ? '' : stdout }).toEqual({ code: 0, log: '' });
  const [row] = await copy.query('SHOW CREATE TABLE counted.t');
  expect(counterOf(String(row?.['Create Table']))).toBe(101);
});

test('the marks of restores are in no backup, and no target of --as', async () => {
  await world.db.query('CREATE DATABASE mydumper_fargate_restore');
  await world.db.query('CREATE TABLE mydumper_fargate_restore.files (id int)');
  const folder = await makeBackup(world, { SOURCE: 'with-marks' });
  const manifest = JSON.parse(String(await world.s3.readObject(BUCKET, `${folder}manifest.json`)));
  expect(manifest.databases).toContain('counted');
  expect(manifest.databases).not.toContain('mydumper_fargate_restore');
  const argv = ['--databases', 'counted', '--as', 'mydumper_fargate_restore'];
  const { code, stderr } = await restoreInto(world, copy, argv, { SOURCE: 'with-marks' });
  expect(code).toBe(2);
  expect(stderr).toContain('RESTORE_AS="mydumper_fargate_restore": must not be a system schema');
});

test('an attempt that failed early does not let the next one replace a filled table', async () => {
  await world.db.query('CREATE DATABASE armed');
  await world.db.query('CREATE TABLE armed.t (id int)');
  const options = { SOURCE: 'armed', DATABASES: 'armed' };
  await makeBackup(world, options);
  await copy.query("CREATE USER limited@'%' IDENTIFIED BY 'secret'");
  await copy.query("GRANT ALL ON mydumper_fargate_restore.* TO limited@'%'");
  const limited = { ...options, USERNAME: 'limited', PASSWORD: 'secret' };
  expect((await restoreInto(world, copy, [], limited)).code).toBe(8);
  await copy.query("DROP USER limited@'%'");
  await copy.query('CREATE DATABASE armed');
  await copy.query('CREATE TABLE armed.t (id int)');
  await copy.query('INSERT INTO armed.t VALUES (1)');
  const { code, stdout } = await restoreInto(world, copy, [], options);
  expect(code).toBe(3);
  expect(stdout).toMatch(/did not fill hold rows: \\"armed\.t\\"/);
  expect(await copy.query('SELECT id FROM armed.t')).toEqual([{ id: 1 }]);
});
