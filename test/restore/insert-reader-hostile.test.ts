import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ForeignStatement } from '../../app/restore/insert-reader.ts';
import { caseless, readInChunks, rowsAmong, STATEMENT, textOf } from './read-inserts.ts';

const SPACE = '[ \\t\\r\\n]';
const TEXT = '(?!@)[ !#-&(-\\[\\]-~]*';
const VALUE = `(?:'${TEXT}'|"${TEXT}"|@{0,2}\\w+)`;
const BINARY = caseless('binary');
const NAMES = `${caseless('names')}${SPACE}+(?:'${BINARY}'|${BINARY})`;
const NOTES = `(?:@@)?${caseless('sql_notes')}${SPACE}*:?=${SPACE}*${VALUE}`;
const SET = `${caseless('set')}${SPACE}+(?:${NAMES}|${NOTES})`;
const COMMENT = '--(?:\\n|[ \\t\\r][^\\n\\0]*\\n)|/\\*(?!M?!)(?:(?!\\*/)[^\\0])*\\*/';
/** An independent, slow reading of whole files. */
const FILE = new RegExp(
  `^(?:${SPACE}|${COMMENT}|(?:${SET}|/\\*!\\d{5,6}${SPACE}+${SET}${SPACE}*\\*/)${SPACE}*;|` +
    `(${STATEMENT})${SPACE}*;)*$`,
);

const ITEM = [
  'INSERT INTO `t` (`a`,`b`) VALUES\n(1,"x"),\n(NULL,\'it\\\'s "q"\');\n',
  'REPLACE INTO t VALUES(-1.5e-3,_binary "\\0;")\n,(0x4A,"a""b")\n;\n',
  "INSERT IGNORE INTO `t` VALUES (CONVERT(\"{}\" USING UTF8MB4),x'4a',b'01');\n",
  '/*!40101 SET NAMES binary*/;\n',
  'SET sql_notes=0;\n',
  '-- rows\n',
  '/* of t */\n',
];
const PIECE = fc.constantFrom(
  ...['"', "'", '`', '\\', ';', ',', '(', ')', '*', '/', '-', '#', '.', '@', '!', '=', '_', '+'],
  ...[' ', '\n', '\t', '\r', '\0', '\x0b', '\xa0', '1', '0', 'x', 'e', 'n', 'N', 'a', 't'],
  ...['""', "''", '--', '/*', '*/', '/*!', '),(', ');', 'user()', 'SELECT ', 'NULL', '0x', '-- '],
);
const change = fc.record({
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  removed: fc.constantFrom(0, 0, 1, 1, 2, 5),
  added: fc.oneof(fc.constant(''), PIECE),
});

/** The statements of a file that the reader takes, or undefined. */
function taken(content: Buffer, size: number): string[] | undefined {
  try {
    return rowsAmong(readInChunks(content, [size])).map(textOf);
  } catch (error) {
    expect(error).toBeInstanceOf(ForeignStatement);
    return undefined;
  }
}

test('a changed file is taken when a slow reading of the grammar takes it, and only then', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...ITEM), { minLength: 1, maxLength: 3 }),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 40 }),
      (items, changes, size) => {
        let text = items.join('');
        for (const { place, removed, added } of changes) {
          const at = Math.floor(place * text.length);
          text = text.slice(0, at) + added + text.slice(at + removed);
        }
        const statements = taken(Buffer.from(text, 'latin1'), size);
        if (statements === undefined) {
          expect(text).not.toMatch(FILE);
          return;
        }
        expect(text).toMatch(FILE);
        for (const statement of statements) expect(statement).toMatch(new RegExp(`^${STATEMENT}$`));
      },
    ),
    { numRuns: 5000 },
  );
});
