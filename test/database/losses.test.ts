import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, type Row } from '../../app/database/connection.ts';
import { readInventory } from '../../app/database/inventory.ts';
import type { Losses } from '../../app/database/loss-lines.ts';
import { findLosses } from '../../app/database/losses.ts';
import { unsupportedNames } from '../../app/mydumper/naming.ts';
import type { Generation } from '../../app/mydumper/version.ts';
import {
  createHostileTable,
  createNastyDatabases,
  createSilentLoss,
  hostileNames,
  silentLosses,
} from '../support/mariadb/dataset.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';
import { quoteName } from '../support/mariadb/sql.ts';

let db: MariaDb;

beforeAll(async () => {
  db = await startMariaDb();
});
afterAll(() => db?.stop());

/** The losses that preflight reports for the server. Empties the server afterwards. */
async function lookAndEmpty(generation: Generation = 'classic'): Promise<Losses> {
  const connection = await openDatabase(serverAddress(db));
  try {
    const inventory = await readInventory(connection, []);
    const losses = await findLosses(connection, { generation, vendor: db.vendor }, inventory);
    for (const name of inventory.databases) await db.query(`DROP DATABASE ${quoteName(name)}`);
    return {
      ...losses,
      refusals: [...unsupportedNames(generation, inventory), ...losses.refusals],
    };
  } finally {
    await connection.close();
  }
}

test('names and values that mydumper 0.10 keeps are not refused', async () => {
  await createNastyDatabases(db, { seed: 1, rows: 5 });
  expect(await lookAndEmpty()).toEqual({
    refusals: [],
    warnings: [expect.stringContaining('FLOAT')],
  });
});

test('routines are refused for 0.10 if the server lists them with one more column', async () => {
  await db.query('CREATE DATABASE shop');
  await db.query('CREATE FUNCTION shop.one() RETURNS int RETURN 1');
  // As MySQL 9 does.
  const connection = await openDatabase(serverAddress(db));
  try {
    const inventory = await readInventory(connection, []);
    const longer: typeof connection = {
      ...connection,
      query: async (sql, values) => {
        const rows = await connection.query(sql, values);
        if (!sql.startsWith('SHOW FUNCTION STATUS')) return rows;
        return rows.map(
          ({ Db, Name, Type, ...rest }) => ({ Db, Name, Type, Language: 'SQL', ...rest }) as Row,
        );
      },
    };
    const refusals = async (generation: Generation) =>
      (await findLosses(longer, { generation, vendor: db.vendor }, inventory)).refusals;
    expect(await refusals('classic')).toEqual([
      expect.stringMatching(/0\.10.*do not load: "shop\.one"/),
    ]);
    expect(await refusals('modern')).toEqual([]);
  } finally {
    await connection.close();
    await db.query('DROP DATABASE shop');
  }
});

test('generated columns in a database with a backslash are refused for mydumper 0.10', async () => {
  await db.query('CREATE DATABASE `back\\slash`');
  // 0.10 would dump them.
  await db.query('CREATE TABLE `back\\slash`.t (a int, b int AS (a + 1) STORED)');
  expect((await lookAndEmpty()).refusals).toEqual([expect.stringContaining('back\\\\slash.t')]);
});

test.each(hostileNames)('$table in $database is refused', async (which) => {
  await createHostileTable(db, which);
  expect((await lookAndEmpty()).refusals).not.toEqual([]);
});

/**
 * How the program handles each silent loss. docs/mydumper.md lists losses that only myloader
 * causes, or that nothing shows beforehand.
 */
const MET: Readonly<Record<string, 'refused' | 'warned' | 'prevented' | 'documented'>> = {
  'inet6-uuid': 'warned',
  'literals-in-legacy-charsets': 'warned',
  'invisible-columns': 'refused',
  'system-versioning': 'warned',
  float: 'warned',
  'enum-zero': 'documented',
  'header-of-last-file': 'prevented',
  'generated-last-row': 'prevented',
  'backslash-triggers': 'refused',
  'like-triggers': 'refused',
  'sql-mode': 'warned',
  'event-time-zone': 'warned',
  'semicolon-line-end': 'documented',
  'empty-database': 'warned',
  'only-routines': 'warned',
  'broken-view': 'refused',
  'comment-view': 'refused',
  package: 'refused',
  'column-backtick': 'refused',
  'no-backslash-escapes': 'prevented',
  'oracle-mode': 'prevented',
};

test.each(silentLosses)('the loss of $id is handled as listed', async (which) => {
  await createSilentLoss(db, which);
  const { refusals, warnings } = await lookAndEmpty();
  const met = refusals.length > 0 ? 'refused' : warnings.length > 0 ? 'warned' : 'nothing said';
  const expected = MET[which.id];
  expect(met).toBe(expected === 'refused' || expected === 'warned' ? expected : 'nothing said');
});

/** As seen with mydumper 1.0.1 and MariaDB 10.11, which keep everything that is not listed. */
const MET_BY_MODERN: Readonly<Record<string, 'refused' | 'warned'>> = {
  'inet6-uuid': 'warned',
  'system-versioning': 'warned',
  float: 'warned',
  'backslash-triggers': 'refused',
  'sql-mode': 'warned',
  'event-time-zone': 'warned',
  'broken-view': 'refused',
  package: 'refused',
  'column-backtick': 'refused',
};

test.each(silentLosses)('with mydumper 1.x the loss of $id is handled as listed', async (which) => {
  await createSilentLoss(db, which);
  const { refusals, warnings } = await lookAndEmpty('modern');
  const met = refusals.length > 0 ? 'refused' : warnings.length > 0 ? 'warned' : undefined;
  expect(met).toBe(MET_BY_MODERN[which.id]);
});

test.each(['classic', 'modern'] as const)(
  'a table whose columns are all generated is refused for both generations (%s)',
  async (generation) => {
    await db.query('CREATE DATABASE shop');
    await db.query('CREATE TABLE shop.`all` (a int AS (1) VIRTUAL, b int AS (2) STORED)');
    await db.query('CREATE TABLE shop.some (a int, b int AS (a) VIRTUAL)');
    expect((await lookAndEmpty(generation)).refusals).toEqual([
      expect.stringContaining('"shop.all"'),
    ]);
  },
);
