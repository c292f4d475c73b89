import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { generationOf } from '../installed-tools.ts';
import { describeServer, differences } from './compare.ts';
import { createBulkDatabase, createNastyDatabases, createWideRows } from './dataset.ts';
import { directory, dropAll, dump, server, userDatabases } from './scratch.ts';
import { quoteName } from './sql.ts';

describe('startMariaDb', () => {
  it('gives two servers at once, each with its own data, by TCP and by socket', async () => {
    const [a, b] = await Promise.all([
      server(),
      server({ rootPassword: 'other', config: ['net_write_timeout=3'] }),
    ]);
    await a.query('CREATE DATABASE only_here');
    expect(await userDatabases(a)).toEqual(['only_here']);
    expect(await userDatabases(b)).toEqual([]);
    expect(await b.query('SELECT @@GLOBAL.net_write_timeout v')).toEqual([{ v: '3' }]);
    const connection = await a.connect({ socketPath: a.socket });
    expect((await connection.query('SELECT current_user() u'))[0]).toEqual([
      { u: 'root@localhost' },
    ]);
    expect(a.socket.length).toBeLessThan(100);
  });

  it('keeps its data over a restart and a crash, and stops more than once', async () => {
    const db = await server();
    await db.query('CREATE DATABASE kept');
    const first = db.pid;
    await db.restart(['max_connections=55']);
    expect(db.pid).not.toBe(first);
    expect(await userDatabases(db)).toEqual(['kept']);
    expect(await db.query('SELECT @@max_connections v')).toEqual([{ v: '55' }]);
    await db.kill();
    await expect(db.query('SELECT 1')).rejects.toThrow();
    await db.restart();
    expect(await userDatabases(db)).toEqual(['kept']);
    await db.stop();
    await db.stop();
    await expect(readdir(db.dir)).rejects.toThrow();
  });

  it('makes and keeps a data directory of the caller', async () => {
    const dataDir = join(await directory(), 'deep', 'data');
    const first = await server({ dataDir });
    await first.query('CREATE DATABASE kept');
    await first.stop();
    const second = await server({ dataDir, rootPassword: 'changed' });
    expect(await userDatabases(second)).toEqual(['kept']);
  });

  it('says why a server does not start', async () => {
    await expect(server({ config: ['no-such-option=1'] })).rejects.toThrow(/no-such-option/);
  });
});

describe('createNastyDatabases', () => {
  it('is deterministic, and differences() notices whatever changes', async () => {
    const [a, b] = await Promise.all([server(), server()]);
    const names = await createNastyDatabases(a, { seed: 7, rows: 20 });
    expect(await createNastyDatabases(b, { seed: 7, rows: 20 })).toEqual(names);
    const before = await describeServer(a, names);
    expect(differences(before, await describeServer(b, names), { exactBodies: true })).toEqual([]);

    const connection = await b.connect();
    await connection.query("SET SESSION time_zone = '+00:00'");
    const objects = quoteName(names[1] ?? '');
    const changes: readonly (readonly [statement: string, reported: RegExp])[] = [
      ["UPDATE nasty_types.binaries SET `one byte` = x'ff' WHERE id = 5", /binaries`: digest/],
      ['DELETE FROM nasty_types.numbers WHERE id = 5', /numbers`: rows: "20" became "19"/],
      ['UPDATE nasty_types.numbers SET `float` = 16777217 WHERE id = 6', /numbers`: digest/],
      [
        "UPDATE nasty_types.times SET `timestamp6` = '2024-01-01 00:00:00.000001' WHERE id = 7",
        /times`: digest/,
      ],
      [`DELETE FROM ${objects}.keyless WHERE a = 1 LIMIT 2`, /keyless`: rows/],
      [
        `ALTER TABLE ${objects}.empty_counter AUTO_INCREMENT = 5000`,
        /empty_counter`: create: .*4711/,
      ],
      [`ALTER TABLE ${objects}.customer DROP FOREIGN KEY last_order`, /customer`: create/],
      [`DROP TRIGGER ${objects}.au`, /trigger .*`au` is missing/],
      [
        `ALTER EVENT ${objects}.once ON SCHEDULE AT '2035-06-01 00:00:01'`,
        /event .*`once`: Create Event/,
      ],
      [
        `CREATE OR REPLACE VIEW ${objects}.\`with.dot\` AS SELECT 1 taxed`,
        /view .*`with\.dot`: Create View/,
      ],
      [`ALTER PROCEDURE ${objects}.\`0 digits\` COMMENT 'x'`, /procedure .*`0 digits`: Create/],
      ...(b.vendor === 'mariadb'
        ? ([
            [`DROP FUNCTION ${objects}.total`, /function .*`total` is missing/],
            [
              `DO NEXTVAL(${objects}.counter), SETVAL(${objects}.counter, 90000)`,
              /sequence .*`counter`: next/,
            ],
          ] as const)
        : ([
            [`DROP FUNCTION ${objects}.tax`, /function .*`tax` is missing/],
            [
              `UPDATE ${objects}.documents SET j = json_set(j, '$.n', 1.51) WHERE id = 3`,
              /documents`: digest/,
            ],
          ] as const)),
      [`CREATE TABLE ${objects}.added (a int)`, /`added` was not there before/],
      [
        'ALTER DATABASE nasty_select COLLATE utf8mb4_bin',
        /database `nasty_select`: Create Database/,
      ],
    ];
    for (const [statement] of changes) await connection.query(statement);
    const found = differences(before, await describeServer(b, names));
    for (const [statement, reported] of changes) {
      expect(
        found.some((line) => reported.test(line)),
        `${statement}\n${found.join('\n')}`,
      ).toBe(true);
    }
    expect(differences(before, before)).toEqual([]);
  });
});

describe('bulk data', () => {
  it('is deterministic and of the size asked for', async () => {
    const db = await server();
    for (const engine of ['InnoDB', 'MyISAM'] as const) {
      await createBulkDatabase(db, { name: 'one', megabytes: 5, tables: 2, seed: 3, engine });
      await createBulkDatabase(db, { name: 'two', megabytes: 5, tables: 2, seed: 3, engine });
      const [one, two] = [await describeServer(db, ['one']), await describeServer(db, ['two'])];
      expect(Object.values(two.objects).map(({ digest }) => digest)).toEqual(
        Object.values(one.objects).map(({ digest }) => digest),
      );
      // Plain 1.x refuses tables without transactions without this option.
      const modern = generationOf() === 'modern' ? ['--trx-tables=0'] : [];
      const { path } = await dump(db, { args: ['-F', '64', ...modern] });
      // 1.x writes a table into a file for each thread.
      const files = (await readdir(path)).filter((name) => name.startsWith('one.bulk_'));
      expect(
        new Set(files.map((name) => name.replace(/(?:\.\d{5}){1,2}\.sql$/, '.sql'))).size,
      ).toBe(4);
      await dropAll(db);
    }
    await createWideRows(db, { name: 'wide', rows: 2, bytes: 5_000_000 });
    // In MySQL this is a BIGINT, which the client library returns as text.
    const sizes = await db.query('SELECT id, CAST(LENGTH(content) AS CHAR) n FROM wide.wide');
    expect(sizes).toEqual([
      { id: 1, n: '5000000' },
      { id: 2, n: '5000000' },
    ]);
  });
});
