import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { leftInStaging, startWorld, type World } from '../e2e/world.ts';
import { classicEnvironment } from '../support/installed-tools.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import { createBulkDatabase, createNastyDatabases } from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { databasesOf, dropAll, makeBackup, renamed, restoreInto } from './setting.ts';

/** Each is a 0.10 backup of everything, including names and types that 1.x loses. */
const COMPRESSIONS = ['none', 'gzip', 'zstd'] as const;

let world: World;
let copy: MariaDb;
let databases: string[];
let before: ServerDescription;

beforeAll(async () => {
  world = await startWorld();
  copy = await startMariaDb();
  databases = await createNastyDatabases(world.db, { seed: 7, rows: 15 });
  await createBulkDatabase(world.db, { name: 'bulk', megabytes: 4, tables: 2 });
  databases.push('bulk');
  before = await describeServer(world.db, databases);
  for (const compression of COMPRESSIONS)
    await makeBackup(world, {
      COMPRESS: compression,
      SOURCE: compression,
      ...classicEnvironment(),
    });
});
afterAll(async () => {
  await copy?.stop();
  await world?.stop();
});
afterEach(() => dropAll(copy));

test.each(COMPRESSIONS)(
  'mydumper and myloader 0.10: --check finds a restore with COMPRESS=%s equal, with no leftovers',
  async (compression) => {
    const ended = await restoreInto(world, copy, ['latest', '--check'], {
      ...classicEnvironment(),
      SOURCE: compression,
      STAGING_LIMIT_MB: '24',
    });
    expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
      code: 0,
      log: '',
    });
    expect(differences(before, await describeServer(copy, databases))).toEqual([]);
    expect(await databasesOf(copy)).toEqual(databases.toSorted());
    expect(leftInStaging(world)).toEqual([]);
    expect(ended.stdout).toContain('the restored content matches the backup');
    expect(ended.stdout + ended.stderr).not.toContain(copy.password);
  },
);

test('mydumper and myloader 0.10: a database is restored under another name', async () => {
  const nasty = databases[1] ?? '';
  const ended = await restoreInto(
    world,
    copy,
    ['--databases', nasty, '--as', 'an"other näme', '--check'],
    {
      ...classicEnvironment(),
      SOURCE: 'zstd',
    },
  );
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  const expected = renamed(await describeServer(world.db, [nasty]), nasty, 'an"other näme');
  expect(differences(expected, await describeServer(copy, ['an"other näme']))).toEqual([]);
});

test('a copy beside the original has its own triggers; the original is unchanged', async () => {
  for (const statement of [
    'CREATE DATABASE shop',
    'CREATE TABLE shop.orders (id int PRIMARY KEY, customer varchar(40))',
    "INSERT INTO shop.orders VALUES (1, 'one'), (2, 'two')",
    'CREATE TRIGGER shop.tidy BEFORE INSERT ON shop.orders ' +
      'FOR EACH ROW SET NEW.customer = TRIM(NEW.customer)',
    'CREATE VIEW shop.recent AS SELECT * FROM shop.orders WHERE id > 1',
  ])
    await world.db.query(statement);
  try {
    await makeBackup(world, { DATABASES: 'shop', SOURCE: 'beside' });
    const original = await describeServer(world.db, ['shop']);
    const ended = await restoreInto(
      world,
      world.db,
      ['--databases', 'shop', '--as', 'shop_copy', '--check'],
      {
        SOURCE: 'beside',
      },
    );
    expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
      code: 0,
      log: '',
    });
    expect(differences(original, await describeServer(world.db, ['shop']))).toEqual([]);
    await world.db.query("INSERT INTO shop_copy.orders VALUES (3, '  three  ')");
    expect(await world.db.query('SELECT customer FROM shop_copy.recent ORDER BY id')).toEqual([
      { customer: 'two' },
      { customer: 'three' },
    ]);
    expect(await world.db.query('SELECT COUNT(*) AS n FROM shop.orders')).toEqual([{ n: '2' }]);

    // Into its own name too, where the text of the trigger is left as it was written.
    await world.db.query('DROP DATABASE shop');
    const back = await restoreInto(world, world.db, ['--databases', 'shop', '--check'], {
      SOURCE: 'beside',
    });
    expect({ code: back.code, log: back.code === 0 ? '' : back.stdout }).toEqual({
      code: 0,
      log: '',
    });
    expect(differences(original, await describeServer(world.db, ['shop']))).toEqual([]);
  } finally {
    for (const name of ['shop', 'shop_copy'])
      await world.db.query(`DROP DATABASE IF EXISTS ${name}`);
  }
});

test('mydumper and myloader 0.10: one table is restored with triggers, no view', async () => {
  const nasty = databases[1] ?? '';
  const ended = await restoreInto(
    world,
    copy,
    ['--databases', nasty, '--tables', 'customer,ord?r', '--check'],
    {
      ...classicEnvironment(),
      SOURCE: 'zstd',
    },
  );
  expect({ code: ended.code, log: ended.code === 0 ? '' : ended.stdout }).toEqual({
    code: 0,
    log: '',
  });
  const after = await describeServer(copy, [nasty]);
  expect(
    Object.keys(after.objects).filter((name) => /^(table|view|event|procedure)/.test(name)),
  ).toEqual([`table \`${nasty}\`.\`customer\``, `table \`${nasty}\`.\`order\``]);
  const wanted = Object.fromEntries(
    Object.entries(before.objects).filter(([name]) => after.objects[name] !== undefined),
  );
  expect(differences({ objects: wanted }, after)).toEqual([]);
});

test('mydumper and myloader 0.10: schemas, then rows, restore the whole database', async () => {
  const nasty = databases[0] ?? '';
  const schemas = await restoreInto(
    world,
    copy,
    ['--databases', nasty, '--schema-only', '--check'],
    {
      ...classicEnvironment(),
      SOURCE: 'gzip',
    },
  );
  expect({ code: schemas.code, log: schemas.code === 0 ? '' : schemas.stdout }).toEqual({
    code: 0,
    log: '',
  });
  const empty = await describeServer(copy, [nasty]);
  expect(Object.keys(empty.objects)).toEqual(
    Object.keys(before.objects).filter((name) => name.includes(`\`${nasty}\``)),
  );
  expect(Object.values(empty.objects).every(({ rows }) => rows === undefined || rows === '0')).toBe(
    true,
  );

  const rows = await restoreInto(world, copy, ['--databases', nasty, '--data-only', '--check'], {
    ...classicEnvironment(),
    SOURCE: 'gzip',
  });
  expect({ code: rows.code, log: rows.code === 0 ? '' : rows.stdout }).toEqual({
    code: 0,
    log: '',
  });
  const wanted = Object.fromEntries(
    Object.entries(before.objects).filter(([name]) => empty.objects[name] !== undefined),
  );
  expect(differences({ objects: wanted }, await describeServer(copy, [nasty]))).toEqual([]);
});

test('what is there is refused unless it may be overwritten', async () => {
  const options = ['--databases', 'bulk'];
  await makeBackup(world, { DATABASES: 'bulk', SOURCE: 'again' });
  expect((await restoreInto(world, copy, options, { SOURCE: 'again' })).code).toBe(0);
  await copy.query('UPDATE bulk.bulk_0 SET amount = 0 WHERE id = 1');
  const changed = await describeServer(copy, ['bulk']);

  const refused = await restoreInto(world, copy, options, { SOURCE: 'again' });
  expect(refused.code).toBe(3);
  expect(refused.stdout).toContain('already in the server: \\"bulk.bulk_0\\"');
  const planned = await restoreInto(world, copy, [...options, '--overwrite', '--dry-run'], {
    SOURCE: 'again',
  });
  expect(planned.code).toBe(0);
  expect(planned.stdout).toContain('would restore s3://backups/again/');
  expect(differences(changed, await describeServer(copy, ['bulk']))).toEqual([]);
  expect(await databasesOf(copy)).toEqual(['bulk']);

  const replaced = await restoreInto(world, copy, [...options, '--overwrite', '--json'], {
    SOURCE: 'again',
  });
  expect(replaced.code).toBe(0);
  expect(JSON.parse(replaced.stdout)).toMatchObject({
    ok: true,
    tables: 2,
    databases: 1,
    check: null,
  });
  const wanted = await describeServer(world.db, ['bulk']);
  expect(differences(wanted, await describeServer(copy, ['bulk']))).toEqual([]);
});
