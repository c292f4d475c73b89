import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createStatementScanner, ForeignStatement, type Span } from '../../app/restore/statements.ts';

const PROLOGUE =
  "/*!40101 SET NAMES binary*/;\n/*!40014 SET FOREIGN_KEY_CHECKS=0*/;\n/*!40103 SET TIME_ZONE='+00:00' */;\n";

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
const value = fc.string({ unit: fc.constantFrom('a', ';', '(', ',', ')', '\\n', "\\'", '"', 'ä', '\0') });
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
        expect(spans.filter(({ ends, inserts: adds }) => ends && adds)).toHaveLength(inserts.length);
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

test.each(['DROP DATABASE x;\n', 'COMMIT;\n', 'INSERTX;\n', 'CREATE TABLE t (a int);\n', 'x'])(
  'what is no INSERT is refused: %j',
  (text) => {
    expect(() => scanInChunks(Buffer.from(PROLOGUE + text), [9])).toThrow(ForeignStatement);
  },
);
