import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createInsertReader, RowTooLarge } from '../../app/restore/insert-reader.ts';
import { comparable, ROW, readInChunks, rowsAmong, STATEMENT, textOf } from './read-inserts.ts';

const unit = fc.constantFrom(
  ...['a', ';', '(', ',', ')', '\\n', "\\'", '\\"', '""', 'ä', '\0', '\n', '\\\\', '/*'],
);
const text = fc.string({ unit, maxLength: 12 }).map((inner) => `"${inner}"`);
const value = fc.oneof(
  { weight: 3, arbitrary: text },
  text.map((literal) => `_binary ${literal}`),
  text.map((literal) => `CONVERT(${literal} USING UTF8MB4)`),
  fc
    .string({ unit: fc.constantFrom('b', "''", '"', ';', '\\\\'), maxLength: 5 })
    .map((s) => `'${s}'`),
  fc.constantFrom(
    'NULL',
    '0',
    '-1',
    '00123',
    '-1.5e-30',
    '1e300',
    '.5',
    "x'00fF'",
    "b'01'",
    '0xAb',
  ),
);
const row = fc.array(value, { minLength: 1, maxLength: 4 }).map((list) => `(${list.join(',')})`);
/** As each generation writes statements. */
const statement = fc
  .record({
    rows: fc.array(row, { minLength: 1, maxLength: 6 }),
    head: fc.constantFrom('INSERT INTO `t` (`a`,`b`) VALUES', 'REPLACE INTO `t` VALUES'),
    classic: fc.boolean(),
  })
  .map(({ rows, head, classic }) => ({
    rows,
    head,
    text: classic
      ? `${head}\n${rows.join(',\n')};\n`
      : `${head}${rows.map((each) => `${each}\n`).join(',')};\n`,
  }));
const file = fc.array(statement, { maxLength: 5 });
const sizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 5 });
const PROLOGUE = '/*!40101 SET NAMES binary*/;\n';
const ROWS = new RegExp(ROW, 'y');

/** The rows of statements, as an independent regular expression finds them. */
function rowsOf(statements: readonly string[]): string[] {
  return statements.flatMap((each) => {
    expect(each).toMatch(new RegExp(`^${STATEMENT}$`));
    const rows: string[] = [];
    ROWS.lastIndex = each.indexOf('VALUES') + 'VALUES'.length;
    while (ROWS.lastIndex < each.length) {
      if (/[ \n,]/.test(each[ROWS.lastIndex] ?? '')) ROWS.lastIndex += 1;
      else rows.push(ROWS.exec(each)?.[0] ?? expect.fail(each));
    }
    return rows;
  });
}

const latin1 = (string: string): string => Buffer.from(string).toString('latin1');

test('statements, ends and sizes do not depend on how the bytes come in', () => {
  fc.assert(
    fc.property(file, sizes, fc.integer({ min: 20, max: 300 }), (statements, chunks, partBytes) => {
      const content = PROLOGUE + statements.map((each) => each.text).join('');
      const textColumns = new Set(['b']);
      for (const options of [{ partBytes }, { partBytes: 1e9 }]) {
        const whole = comparable(readInChunks(content, [1e9], options));
        expect(comparable(readInChunks(content, chunks, options))).toEqual(whole);
      }
      expect(statements.map((each) => each.rows.length)).toEqual(
        rowsAmong(readInChunks(content, chunks)).map((each) => each.rows),
      );
      const counted = 'INSERT INTO t (a,b) VALUES (1,_binary "x")\n,(2,\'y\'),(3,0x41),(4,NULL);\n';
      const given = readInChunks(counted, chunks, { textColumns, partBytes });
      expect(comparable(given)).toEqual(
        comparable(readInChunks(counted, [1e9], { textColumns, partBytes })),
      );
    }),
  );
});

test('parts are statements within the limit or of one row, and hold each row once', () => {
  fc.assert(
    fc.property(file, sizes, fc.integer({ min: 1, max: 300 }), (statements, chunks, partBytes) => {
      const content = PROLOGUE + statements.map((each) => each.text).join('');
      const parts = rowsAmong(readInChunks(content, chunks, { partBytes }));
      expect(rowsOf(parts.map(textOf))).toEqual(
        statements.flatMap((each) => each.rows.map(latin1)),
      );
      for (const [index, part] of parts.entries()) {
        expect(part.bytes).toBe(textOf(part).length);
        expect(part.bytes <= partBytes || part.rows === 1).toBe(true);
        expect(part.end).toBeGreaterThan(parts[index - 1]?.end ?? 0);
      }
      expect(parts.at(-1)?.end ?? Buffer.byteLength(content)).toBe(Buffer.byteLength(content));
    }),
  );
});

test('a reader that skips to the end of a part gives what follows it, and nothing else', () => {
  fc.assert(
    fc.property(file, sizes, fc.integer({ min: 1, max: 300 }), (statements, chunks, partBytes) => {
      const content = PROLOGUE + statements.map((each) => each.text).join('');
      const parts = rowsAmong(readInChunks(content, [1e9], { partBytes }));
      for (const [index, { end }] of parts.entries()) {
        const rest = rowsAmong(readInChunks(content, chunks, { partBytes, skipTo: end }));
        expect(comparable(rest)).toEqual(comparable(parts.slice(index + 1)));
      }
    }),
    { numRuns: 50 },
  );
});

test('a long literal ends at its own quote, wherever escapes and chunks fall', () => {
  const filler = fc.integer({ min: 0, max: 12_000 }).map((length) => 'x'.repeat(length));
  const special = fc.constantFrom("\\'", '\\\\', '""', "'", ');\n', '\n');
  const inner = fc.array(fc.tuple(filler, special), { maxLength: 4 });
  fc.assert(
    fc.property(inner, fc.integer({ min: 1, max: 20_000 }), (pieces, size) => {
      const rows = `("${pieces.flat().join('')}",'${'y'.repeat(5000)}')`;
      const given = rowsAmong(readInChunks(`INSERT INTO t VALUES${rows},(1,2);\n`, [size]));
      expect(given.map(textOf)).toEqual([`INSERT INTO t VALUES${rows},(1,2)`]);
      expect(given[0]?.rows).toBe(2);
    }),
    { numRuns: 200 },
  );
});

test('rows up to any row’s end are left out, and the rest goes with the head', () => {
  const content = 'INSERT INTO t (a) VALUES\n(1),\n("b)"),\n(3);\nINSERT INTO t (a) VALUES(4)\n;\n';
  for (const [after, expected] of [
    ['(1)', ['INSERT INTO t (a) VALUES("b)"),\n(3)', 'INSERT INTO t (a) VALUES(4)']],
    ['("b)")', ['INSERT INTO t (a) VALUES(3)', 'INSERT INTO t (a) VALUES(4)']],
    ['(3)', ['INSERT INTO t (a) VALUES(4)']],
    ['(4)', []],
  ] as const) {
    for (const size of [1, 7, 1000]) {
      const skipTo = content.indexOf(after) + after.length;
      expect(rowsAmong(readInChunks(content, [size], { skipTo })).map(textOf)).toEqual(expected);
    }
  }
});

test('slices are views of the chunk, except the head', () => {
  const chunk = Buffer.from('INSERT INTO t VALUES\n(1),\n(2);\n');
  const reader = createInsertReader({
    ...{ table: 't', partBytes: 100, largestBytes: 100, skipTo: 0, columns: [] },
    textColumns: new Set(),
  });
  const [rows] = rowsAmong(reader.read(chunk));
  expect(rows?.slices).toHaveLength(2);
  expect(rows?.slices[1]?.buffer).toBe(chunk.buffer);
  expect(reader.pendingBytes()).toBe(0);
});

test('a row too large for the server ends the reading before it is in memory as a whole', () => {
  const options = { partBytes: 50, largestBytes: 100 };
  const large = `INSERT INTO t VALUES (1),("${'x'.repeat(1000)}");\n`;
  expect(() => readInChunks(large, [1e9], options)).toThrow(RowTooLarge);
  const reader = createInsertReader({
    ...{ table: 't', skipTo: 0, columns: [], textColumns: new Set() },
    ...options,
  });
  expect(reader.read(Buffer.from(large.slice(0, 90)))).toHaveLength(1);
  expect(reader.pendingBytes()).toBe(90 - large.indexOf('("'));
  expect(() => reader.read(Buffer.from(large.slice(90, 200)))).toThrow(RowTooLarge);
  const fits = `INSERT INTO t VALUES (1),("${'x'.repeat(75)}"),(2);\n`;
  expect(rowsAmong(readInChunks(fits, [9], options)).map(({ bytes }) => bytes)).toEqual([
    23, 99, 23,
  ]);
});

test('a statement is tolerant when it skips or replaces rows that are there', () => {
  const verbs = ['INSERT', 'INSERT IGNORE', 'REPLACE'];
  const content = verbs.map((verb) => `${verb} INTO t VALUES (1);\n`).join('');
  expect(rowsAmong(readInChunks(content, [8])).map(({ tolerant }) => tolerant)).toEqual([
    false,
    true,
    true,
  ]);
});

test.each([
  ['SET FOREIGN_KEY_CHECKS=0;\n', { foreign_key_checks: '0' }],
  [
    "/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES'*/;\n",
    { sql_mode: 'NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES' },
  ],
  [
    '/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n',
    { unique_checks: '0' },
  ],
  [
    'SET SESSION sql_notes = OFF, @@time_zone := "+00:00" ;\n',
    { sql_notes: 'OFF', time_zone: '+00:00' },
  ],
  ['SET @@SESSION.sql_mode=@OLD_SQL_MODE;\n', { sql_mode: '@OLD_SQL_MODE' }],
  ['SET NAMES utf8mb4;\n', { names: 'utf8mb4' }],
  [
    "SET NAMES 'utf8mb4' COLLATE utf8mb4_bin;",
    { names: 'utf8mb4', collation_connection: 'utf8mb4_bin' },
  ],
])('a setting is given by its names and values: %j', (content, assignments) => {
  for (const size of [1, 6, 1000]) {
    expect(comparable(readInChunks(content, [size]))).toEqual([
      { kind: 'setting', assignments, end: content.length },
    ]);
  }
});

test.each(['-- the end\n', '--\n', '', '\n\n', '/* */'])('nothing is given of %j', (content) => {
  expect(readInChunks(content, [5])).toEqual([]);
});
