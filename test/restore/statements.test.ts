import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createStatementScanner,
  ForeignStatement,
  type Span,
} from '../../app/restore/statements.ts';

const PROLOGUE =
  '/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n' +
  "/*!40103 SET TIME_ZONE='+00:00' */;\n";

function scanInChunks(content: Buffer, sizes: readonly number[]): Span[] {
  const { scan, end } = createStatementScanner();
  const spans: Span[] = [];
  for (let at = 0, turn = 0; at < content.length; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    spans.push(...scan(content.subarray(at, at + size)));
    at += size;
  }
  return [...spans, ...end()];
}

/** Values as mydumper writes them: line ends escaped, everything else may be there. */
const value = fc.string({
  unit: fc.constantFrom('a', ';', '(', ',', ')', '\\n', "\\'", '"', 'ä', '\0'),
});
const insert = fc
  .tuple(fc.array(value, { minLength: 1, maxLength: 5 }), fc.constantFrom(',\n(', '\n,('))
  .map(([values, between]) => ({
    text: `INSERT INTO \`t\` VALUES\n(${values.map((each) => `"${each}"`).join(`)${between}`)});\n`,
    rows: values.length,
  }));

test('however the bytes come in, statements end where they end and rows are counted', () => {
  fc.assert(
    fc.property(
      fc.array(insert, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }),
      (inserts, sizes) => {
        const content = Buffer.from(PROLOGUE + inserts.map(({ text }) => text).join(''));
        const spans = scanInChunks(content, sizes);
        expect(Buffer.concat(spans.map(({ bytes }) => bytes)).equals(content)).toBe(true);
        expect(spans.filter(({ ends }) => ends)).toHaveLength(3 + inserts.length);
        expect(spans.filter(({ ends, inserts: adds }) => ends && adds)).toHaveLength(
          inserts.length,
        );
        expect(spans.reduce((sum, { rows }) => sum + rows, 0)).toBe(
          inserts.reduce((sum, { rows }) => sum + rows, 0),
        );
        expect(spans.at(-1)?.ends ?? true).toBe(true);
      },
    ),
  );
});

test('statements of 1.x, whose semicolon has a line of its own', () => {
  const content = Buffer.from(
    'INSERT INTO `t` VALUES\n(1,"a")\n,(2,"b")\n;\nINSERT INTO `t` VALUES\n(3,"c")\n;\n',
  );
  const spans = scanInChunks(content, [7]);
  expect(spans.filter(({ ends }) => ends)).toHaveLength(2);
  expect(spans.reduce((sum, { rows }) => sum + rows, 0)).toBe(3);
});

test.each([
  'DROP DATABASE x;\n',
  'COMMIT;\n',
  'INSERTX;\n',
  'CREATE TABLE t (a int);\n',
  'x',
  // What stands behind a comment, or in one that the server runs.
  '/* rows */ DROP DATABASE x;\n',
  '/* rows */\n\n/* more */DROP DATABASE x;\n',
  '-- rows\nDROP DATABASE x;\n',
  '--\nDROP DATABASE x;\n',
  '--1;\n',
  '# rows\nDROP DATABASE x;\n',
  '/*!40101 DROP DATABASE x */;\n',
  '/*!DROP DATABASE x */;\n',
  '/*M! DROP DATABASE x */;\n',
  '/*M!100100 DROP DATABASE x */;\n',
  '/*!40101 SET NAMES binary*/ DROP DATABASE x;\n',
  '/*!40101 SET NAMES binary*//*!40101 , GLOBAL read_only=1*/;\n',
  '/* it does not end\nINSERT INTO `t` VALUES (1);\n',
  `/*${' '.repeat(5000)}*/ DROP DATABASE x;\n`,
  '/* \0*/ INSERT INTO `t` VALUES (1);\n',
  ' DROP DATABASE x;\n',
  '\r\nDROP DATABASE x;\n',
  // Settings that outlive the session, or end the transaction, or make the mark of a piece.
  'SET GLOBAL read_only=1;\n',
  'SET @@GLOBAL.read_only=1;\n',
  'SET PERSIST sql_mode=1;\n',
  "SET PASSWORD='x';\n",
  'SET autocommit=1;\n',
  'SET sql_mode=1, GLOBAL sql_mode=1;\n',
  'SET sql_mode=(SELECT 1);\n',
  'SET @mydumper_fargate=1;\n',
  "/*!40103 SET TIME_ZONE='+00:00', GLOBAL read_only=1 */;\n",
  'LOCK TABLES `t` WRITE;\n',
  'UNLOCK TABLES;\n',
  // Rows that go elsewhere, or that a query finds.
  'INSERT INTO `mysql`.`user` VALUES (1);\n',
  'INSERT INTO mysql.user VALUES (1);\n',
  'INSERT INTO `mysql` . `user` VALUES (1);\n',
  'REPLACE INTO `a``b`.`c` VALUES (1);\n',
  'INSERT INTO `t` SELECT * FROM mysql.user;\n',
  'INSERT INTO `t` (SELECT * FROM mysql.user);\n',
  'INSERT INTO `t` ( WITH x AS (SELECT 1) SELECT * FROM x);\n',
  'INSERT INTO `t` TABLE mysql.user;\n',
  'INSERT INTO `t` SET a=1;\n',
  'INSERT /*! INTO mysql.user */ VALUES (1);\n',
  "LOAD DATA INFILE '/etc/passwd' INTO TABLE `t`;\n",
  ';\n',
])('what adds no rows to a table of its own database is refused: %j', (text) => {
  for (const sizes of [[1], [9], [100_000]]) {
    expect(() => scanInChunks(Buffer.from(PROLOGUE + text), sizes)).toThrow(ForeignStatement);
    expect(() =>
      scanInChunks(Buffer.from(`INSERT INTO \`t\` VALUES (1);\n${text}`), sizes),
    ).toThrow(ForeignStatement);
  }
});

test.each([
  'INSERT INTO `a``b` VALUES\n(1);\n',
  'INSERT IGNORE INTO `t` (`a`,`b.c`) VALUES(1,2);\n',
  'REPLACE INTO "t" VALUES (1);\n',
  'INSERT INTO t(`SELECT`) VALUES (1);\n',
  '-- rows\n/* of\nt */ INSERT INTO `t` VALUES (1);\n',
])('rows that are taken: %j', (text) => {
  const spans = scanInChunks(Buffer.from(PROLOGUE + text), [5]);
  expect(spans.filter(({ ends, inserts }) => ends && inserts)).toHaveLength(1);
});

test.each([
  'SET FOREIGN_KEY_CHECKS=0;\n',
  "/*!40101 SET SQL_MODE='NO_AUTO_VALUE_ON_ZERO,STRICT_TRANS_TABLES'*/;\n",
  '/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;\n',
  'SET NAMES utf8mb4;\n',
  '-- the end\n',
  '',
  '\n\n',
])('what prepares rows, or says nothing, is taken and is no row: %j', (text) => {
  const spans = scanInChunks(Buffer.from(PROLOGUE + text), [5]);
  expect(Buffer.concat(spans.map(({ bytes }) => bytes)).toString()).toBe(PROLOGUE + text);
  expect(spans.filter(({ inserts }) => inserts)).toEqual([]);
});

test('a statement that drops is refused, after any comments and in any spelling', () => {
  const lead = fc.array(
    fc.constantFrom(
      '/**/',
      '/* ; */',
      '-- x\n',
      '--\n',
      ' ',
      '\t',
      '\n',
      '/*! */',
      '/*!50000',
      '#\n',
      '*/',
      ';',
    ),
    { maxLength: 6 },
  );
  const word = fc.mixedCase(
    fc.constantFrom('DROP DATABASE x', 'TRUNCATE t', 'GRANT ALL ON *.* TO x', 'COMMIT'),
  );
  fc.assert(
    fc.property(
      lead,
      word,
      fc.constantFrom(';\n', '*/;\n', ' -- ;\n', ''),
      (before, statement, end) => {
        const text = `${before.join('')}${statement}${end}`;
        expect(() => scanInChunks(Buffer.from(PROLOGUE + text), [3])).toThrow(ForeignStatement);
      },
    ),
  );
});
