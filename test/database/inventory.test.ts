import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../app/database/connection.ts';
import {
  engineAsWritten,
  type Inventory,
  missingDatabases,
  readContents,
  readInventory,
} from '../../app/database/inventory.ts';
import { hasNonTransactionalTables } from '../../app/manifest/completeness.ts';
import { SYSTEM_SCHEMAS } from '../../app/mydumper/database-regex.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { quoteName } from '../support/mariadb/sql.ts';

const ODD = "it's `odd`\\ ä€";
let db: MariaDb;

beforeAll(async () => {
  db = await startMariaDb();
  for (const statement of [
    'CREATE DATABASE shop',
    'CREATE DATABASE nothing',
    `CREATE DATABASE ${quoteName(ODD)}`,
    'CREATE TABLE shop.orders (id int PRIMARY KEY, note longtext) ENGINE=InnoDB',
    'CREATE TABLE shop.log (id int) ENGINE=MyISAM',
    'CREATE TABLE shop.cache (id int) ENGINE=MEMORY',
    'CREATE TABLE shop.history (id int) WITH SYSTEM VERSIONING',
    `CREATE TABLE ${quoteName(ODD, ODD)} (id int)`,
    'CREATE VIEW shop.recent AS SELECT * FROM shop.orders',
    'CREATE TRIGGER shop.before_order BEFORE INSERT ON shop.orders FOR EACH ROW SET NEW.id = 1',
    'CREATE TRIGGER shop.after_order AFTER INSERT ON shop.orders FOR EACH ROW SET @a = 1',
    'CREATE PROCEDURE shop.clean() SELECT 1',
    `CREATE FUNCTION ${quoteName(ODD, 'f')}() RETURNS int RETURN 1`,
    'CREATE DATABASE scheduled',
    'CREATE EVENT scheduled.nightly ON SCHEDULE EVERY 1 DAY DO SELECT 1',
    'INSERT INTO shop.log VALUES (1), (2)',
    "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'reader-geheim'",
    "GRANT SELECT ON shop.* TO reader@'127.0.0.1'",
  ])
    await db.query(statement);
});
afterAll(() => db?.stop());

async function connect(user: string = db.user, password = db.password) {
  const database = await openDatabase(serverAddress(db, { user, password }));
  onTestFinished(() => database.close());
  return database;
}

const inventoryOf = async (...wanted: string[]) => readInventory(await connect(), wanted);
const sorted = <T>(values: readonly T[]) =>
  values.toSorted((left, right) => (JSON.stringify(left) < JSON.stringify(right) ? -1 : 1));

test('everything a dump must hold is listed, of all databases but the system’s own', async () => {
  const inventory = await inventoryOf();
  expect(inventory.vendor).toBe('mariadb');
  expect(inventory.version).toMatch(/^\d+\.\d+.*MariaDB/i);
  expect(sorted(inventory.databases)).toEqual(sorted(['nothing', 'scheduled', 'shop', ODD]));
  expect(sorted(inventory.tables)).toEqual(
    sorted([
      { database: 'shop', table: 'orders', engine: 'innodb' },
      { database: 'shop', table: 'log', engine: 'myisam' },
      { database: 'shop', table: 'cache', engine: 'memory' },
      { database: 'shop', table: 'history', engine: 'innodb' },
      { database: ODD, table: ODD, engine: 'innodb' },
    ]),
  );
  expect(inventory.views).toEqual([{ database: 'shop', table: 'recent' }]);
  expect(inventory.triggered).toEqual([{ database: 'shop', table: 'orders' }]);
  expect(sorted(inventory.programmed)).toEqual(sorted(['scheduled', 'shop', ODD]));
});

test('only the requested database is listed, even with an odd name', async () => {
  const inventory = await inventoryOf(ODD);
  expect(inventory.databases).toEqual([ODD]);
  expect(inventory.tables).toEqual([{ database: ODD, table: ODD, engine: 'innodb' }]);
  expect(inventory.views).toEqual([]);
  expect(inventory.programmed).toEqual([ODD]);
  expect(inventory.largestRowBytes).toBe(0);
});

test('a system schema is listed when it is asked for, and only then', async () => {
  const { databases, tables } = await inventoryOf('mysql');
  expect(databases).toEqual(['mysql']);
  expect(tables).toContainEqual({ database: 'mysql', table: 'proc', engine: 'aria' });
  const all = await inventoryOf();
  for (const name of SYSTEM_SCHEMAS) expect(all.databases).not.toContain(name);
});

test('databases that are not there are missing, as are those the user may not see', async () => {
  const inventory = await inventoryOf('shop', 'Shop2', 'gone');
  expect(inventory.databases).toEqual(['shop']);
  expect(missingDatabases(inventory, ['shop', 'Shop2', 'gone'])).toEqual(['Shop2', 'gone']);
  expect(missingDatabases(inventory, [])).toEqual([]);

  const seen = await readInventory(await connect('reader', 'reader-geheim'), ['shop', 'nothing']);
  expect(missingDatabases(seen, ['shop', 'nothing'])).toEqual(['nothing']);
});

test('without any of the requested databases nothing is listed', async () => {
  const { databases, tables, views, estimatedBytes, largestRowBytes, mostColumns } =
    await inventoryOf('gone');
  expect({ databases, tables, views, estimatedBytes, largestRowBytes, mostColumns }).toEqual({
    databases: [],
    tables: [],
    views: [],
    estimatedBytes: 0,
    largestRowBytes: 0,
    mostColumns: 0,
  });
});

test('grants are cut before the credentials', async () => {
  const whole = await db.query("SHOW GRANTS FOR reader@'127.0.0.1'");
  expect(JSON.stringify(whole)).toContain('IDENTIFIED BY PASSWORD');

  const { grants } = await readInventory(await connect('reader', 'reader-geheim'), []);
  expect(sorted(grants)).toEqual([
    'GRANT SELECT ON `shop`.* TO `reader`@`127.0.0.1`',
    'GRANT USAGE ON *.* TO `reader`@`127.0.0.1`',
  ]);
  const root = (await inventoryOf()).grants;
  expect(root).toContain('GRANT ALL PRIVILEGES ON *.* TO `root`@`127.0.0.1`');
  expect(root.join('\n')).not.toMatch(/IDENTIFIED|\*[0-9A-F]{40}/);
});

test('sizes are estimated from the tables’ statistics', async () => {
  const empty = await inventoryOf('nothing');
  expect([empty.estimatedBytes, empty.largestRowBytes]).toEqual([0, 0]);
  await db.query('CREATE DATABASE large');
  onTestFinished(async () => void (await db.query('DROP DATABASE large')));
  await db.query('CREATE TABLE large.t (id int, note longblob) ENGINE=MyISAM');
  await db.query("INSERT INTO large.t VALUES (1, REPEAT('x', 1000000)), (2, 'y')");
  const { estimatedBytes, largestRowBytes } = await inventoryOf('large');
  expect(estimatedBytes).toBeGreaterThan(1_000_000);
  expect(estimatedBytes).toBeLessThan(1_100_000);
  expect(largestRowBytes).toBeGreaterThanOrEqual(2 * 1_000_000);
  expect(largestRowBytes).toBeLessThanOrEqual(2 * 1_100_000);
});

test('tables without transactions are noticed', () => {
  const of = (...engines: string[]) =>
    hasNonTransactionalTables({
      ...({} as Inventory),
      tables: engines.map((engine, index) => ({ database: 'd', table: `t${index}`, engine })),
    });
  expect(of()).toBe(false);
  expect(of('innodb', 'rocksdb', 'tokudb')).toBe(false);
  for (const engine of ['myisam', 'aria', 'memory', 'csv', ''])
    expect(of('innodb', engine)).toBe(true);
});

test('contents that are read again show a new table', async () => {
  const database = await connect();
  const before = await readContents(database, ['shop']);
  await db.query('CREATE TABLE shop.created (id int)');
  onTestFinished(async () => void (await db.query('DROP TABLE shop.created')));
  const after = await readContents(database, ['shop']);
  expect(after.tables.length).toBe(before.tables.length + 1);
  expect(await readContents(database, [])).toEqual({
    databases: [],
    tables: [],
    views: [],
    triggered: [],
    programmed: [],
  });
});

test('databases and tables whose names differ only in case are kept apart', async () => {
  for (const name of ['twin', 'Twin']) {
    await db.query(`CREATE DATABASE ${name}`);
    onTestFinished(async () => void (await db.query(`DROP DATABASE ${name}`)));
    for (const table of ['t', 'T']) {
      await db.query(`CREATE TABLE ${name}.${table} (id int)`);
      await db.query(
        `CREATE TRIGGER ${name}.on_${table === 't' ? 'small' : 'capital'}
         BEFORE INSERT ON ${name}.${table} FOR EACH ROW SET NEW.id = 1`,
      );
    }
    await db.query(`CREATE PROCEDURE ${name}.p() SELECT 1`);
  }
  const database = await connect();
  const { tables, triggered, programmed } = await readContents(database, ['twin', 'Twin']);
  const names = (objects: readonly { database: string; table: string }[]) =>
    objects.map((object) => `${object.database}.${object.table}`).toSorted();
  const all = ['Twin.T', 'Twin.t', 'twin.T', 'twin.t'];
  expect(names(tables)).toEqual(all);
  expect(names(triggered)).toEqual(all);
  expect(programmed.toSorted()).toEqual(['Twin', 'twin']);
  expect(names((await readContents(database, ['twin'])).tables)).toEqual(['twin.T', 'twin.t']);
});

test('engines are named as SHOW CREATE TABLE writes them', async () => {
  await db.query('CREATE DATABASE engines');
  await db.query('CREATE TABLE engines.part (id int NOT NULL) ENGINE=MyISAM');
  const known = (await inventoryOf('engines')).engines;
  const created = [];
  for (const engine of [
    'InnoDB',
    'MyISAM',
    'MERGE UNION=(part)',
    'MEMORY',
    'CSV',
    'ARCHIVE',
    'Aria',
  ]) {
    const made = await db
      .query(`CREATE TABLE engines.t (id int NOT NULL) ENGINE=${engine}`)
      .catch(() => {});
    if (made === undefined) continue;
    const [row] = await db.query('SHOW CREATE TABLE engines.t');
    created.push(/ENGINE=(\w+)/.exec(String(row?.['Create Table']))?.[1]);
    await db.query('DROP TABLE engines.t');
  }
  await db.query('DROP DATABASE engines');
  expect(created.length).toBeGreaterThan(4);
  expect(known).toEqual(expect.arrayContaining(created));
  // The only name that MySQL lists otherwise.
  expect(['MRG_MYISAM', 'InnoDB'].map(engineAsWritten)).toEqual(['MRG_MyISAM', 'InnoDB']);
});
