import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { literalAt, type Rows } from '../../app/restore/insert-reader.ts';
import { readInChunks, rowsAmong, textOf } from './read-inserts.ts';

const DIRECTORY = join(import.meta.dirname, '../fixtures/data-files');
const read = (name: string): Buffer => readFileSync(join(DIRECTORY, name));
const UUID = '123e4567-e89b-12d3-a456-426655440000';

/** `table.tool-server.sql`, as mydumper 0.10 and 1.x wrote them from MariaDB and MySQL. */
const FILES = readdirSync(DIRECTORY);

test.each(FILES)('%s, as mydumper wrote it, is read whole and given as it stands', (name) => {
  const content = read(name);
  const statements = content
    .toString('latin1')
    .replace(/^\/\*!.*\n/gm, '')
    .replaceAll('VALUES\n', 'VALUES')
    .split(/\n?;\n(?=INSERT|REPLACE|$)/)
    .slice(0, -1);
  for (const size of [1, 13, 1e9]) {
    const given = readInChunks(content, [size], { table: name.split('.')[0] ?? '' });
    expect(rowsAmong(given).map(textOf)).toEqual(statements);
    expect(given.filter(({ kind }) => kind === 'setting')).toHaveLength(
      content.toString('latin1').match(/^\/\*!/gm)?.length ?? 0,
    );
    expect(given.at(-1)?.end).toBe(content.length);
  }
});

test.each([
  [
    'uu.0.10-mariadb.sql',
    `(1,_ascii "${UUID}",_ascii "::1",_ascii "1.2.3.4"),\n(2,NULL,NULL,NULL)`,
  ],
  ['uu.1.x-mariadb.sql', `(1,_ascii "${UUID}",_ascii "::1",_ascii "1.2.3.4")\n,(2,NULL,NULL,NULL)`],
  [
    'uu.1.x-mariadb-hex.sql',
    `(1,_ascii 0x${Buffer.from(UUID).toString('hex').toUpperCase()},_ascii 0x3A3A31,` +
      '_ascii 0x312E322E332E34)\n,(2,NULL,NULL,NULL)',
  ],
])('%s: values of UUID, INET6 and INET4 are sent as text', (name, expected) => {
  const content = read(name);
  const listless = Buffer.from(content.toString('latin1').replace(/ \(`id.*?\)/, ''), 'latin1');
  const options = { columns: ['id', 'u', 'i6', 'i4'], textColumns: new Set(['u', 'i6', 'i4']) };
  for (const size of [1, 2, 13, 1e9]) {
    for (const bytes of [content, listless]) {
      const rows = rowsAmong(readInChunks(bytes, [size], { ...options, table: 'uu' }));
      expect(rows.map(textOf).map((text) => text.replace(/^.*?VALUES/s, ''))).toEqual([expected]);
      expect(rows[0]?.bytes).toBe(textOf(rows[0] ?? expect.fail()).length);
      const alone = rowsAmong(
        readInChunks(bytes, [size], { ...options, table: 'uu', partBytes: 1 }),
      );
      expect(alone.map((each) => [each.rows, each.bytes])).toEqual(
        alone.map((each) => [1, textOf(each).length]),
      );
      const after = readInChunks(bytes, [size], {
        ...{ ...options, table: 'uu' },
        skipTo: alone[0]?.end ?? 0,
      });
      expect(rowsAmong(after).map(textOf)).toEqual(alone.slice(1).map(textOf));
    }
  }
});

test('a text column takes no number, and a row has as many values as columns', () => {
  const options = { columns: ['a', 'u'], textColumns: new Set(['u']) };
  for (const row of ['(1,2)', '(1)', '(1,NULL,3)', '(1,_binary 2)', "(1,b'1')", '(1,"a" "b")']) {
    expect(() => readInChunks(`INSERT INTO t VALUES ${row};\n`, [4], options)).toThrow(/at byte/);
  }
  const rows = rowsAmong(
    readInChunks(
      "INSERT INTO t VALUES (1,_latin1\n'x'),(2,X'41'),(3, _binary x'42');",
      [4],
      options,
    ),
  );
  expect(rows.map(textOf)).toEqual([
    "INSERT INTO t VALUES(1,_ascii 'x'),(2,_ascii X'41'),(3, _ascii x'42')",
  ]);
});

test('the literal of a column in a row is found again', () => {
  const text =
    'INSERT INTO t (`b`,a) VALUES (1,_binary "x\\",(")\n,( \'\' , NULL ),' +
    '(CONVERT("{}" USING UTF8MB4),-2);';
  const [rows] = rowsAmong(readInChunks(text, [7]));
  const at = (row: number, column: string) =>
    literalAt(rows ?? expect.fail(), row, column, { columns: [] });
  expect([at(1, 'b'), at(1, 'a')]).toEqual(['1', '_binary "x\\",("']);
  expect([at(2, 'b'), at(2, 'a')]).toEqual(["''", 'NULL']);
  expect([at(3, 'b'), at(3, 'a')]).toEqual(['CONVERT("{}" USING UTF8MB4)', '-2']);
  expect([at(4, 'a'), at(0, 'a'), at(1, 'c')]).toEqual([undefined, undefined, undefined]);
  const listless: Pick<Rows, 'slices'> = { slices: [Buffer.from('INSERT INTO t VALUES(1,2)')] };
  expect(literalAt(listless, 1, 'y', { columns: ['x', 'y'] })).toBe('2');
  const [plain] = rowsAmong(
    readInChunks("SET sql_mode='NO_BACKSLASH_ESCAPES';INSERT INTO t VALUES('a\\',2);", [7]),
  );
  expect(literalAt(plain ?? expect.fail(), 1, 'y', { columns: ['x', 'y'] })).toBe('2');
});
