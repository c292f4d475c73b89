import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createProgramReader, mayHoldPrograms } from '../../app/mydumper/dumped-programs.ts';

const read = (...pieces: readonly Uint8Array[]) => {
  const reader = createProgramReader();
  for (const piece of pieces) reader.add(piece);
  return reader.programs().map(({ kind, nameBytes }) => `${kind} ${nameBytes}`);
};
const of = (text: string, encoding: BufferEncoding = 'utf8') => read(Buffer.from(text, encoding));

/** As both generations wrote them, on both vendors. */
const DUMPED = `/*!40101 SET NAMES binary*/;
SET collation_connection = utf8mb4_general_ci;
DROP FUNCTION IF EXISTS \`ag\`;
CREATE DEFINER=\`root\`@\`127.0.0.1\` AGGREGATE FUNCTION \`ag\`(x int) RETURNS int(11)
BEGIN LOOP FETCH GROUP NEXT ROW; 
END LOOP; END;
CREATE DEFINER="root"@"127.0.0.1" FUNCTION "ora"(a IN int) RETURN int(11)
AS b int := 1; BEGIN RETURN a + b; END;
CREATE DEFINER=\`root\`@\`127.0.0.1\` PROCEDURE \`a "b\`()
begin select 1; 
select "; 
CREATE PROCEDURE no() SELECT 1"; end;
CREATE DEFINER="root"@"127.0.0.1" PROCEDURE "an""six"()
SELECT 1;
CREATE DEFINER=\`a b'c"d\`\`e\`@\`h%\` PROCEDURE \`definer\`()
SELECT 1;
CREATE DEFINER=\`a role\` PROCEDURE \`of a role\`()
SELECT 1;
DROP PROCEDURE IF EXISTS \`hidden\`;
(null);
CREATE DEFINER=\`root\`@\`127.0.0.1\` EVENT \`ev 1\` ON SCHEDULE EVERY 1 DAY DISABLE DO SELECT '1;';
CREATE DEFINER=\`root\`@\`127.0.0.1\` trigger \`sh-op\`.plain before insert on \`or ders\`
for each row set @a = 1;
CREATE DEFINER="root"@"127.0.0.1" TRIGGER "tr ""1" BEFORE INSERT ON t2 FOR EACH ROW SET @a=1;
CREATE OR REPLACE DEFINER=\`r\`@\`%\` TRIGGER /* why */ IF NOT EXISTS -- so
 two AFTER INSERT ON t FOR EACH ROW SET @a=1;
CREATE PACKAGE BODY tools AS PROCEDURE x AS BEGIN NULL; END; END;
SET collation_connection = @PREV_COLLATION_CONNECTION;
`;
const NAMES = [
  'function ag',
  'function ora',
  'procedure a "b',
  'procedure an"six',
  'procedure definer',
  'procedure of a role',
  'event ev 1',
  'trigger plain',
  'trigger tr "1',
  'trigger two',
  'package body tools',
];

test('programs are read as both generations write them; text within bodies is not', () => {
  expect(of(DUMPED)).toEqual(NAMES);
});

test('a name is given by its bytes, in any encoding', () => {
  expect(of('CREATE PROCEDURE `fünc`() SELECT 1;\n')).toEqual(['procedure f\u00c3\u00bcnc']);
  expect(of('CREATE TRIGGER fünc BEFORE ;\n', 'latin1')).toEqual(['trigger fünc']);
});

test('the programs are the same for any pieces of a file', () => {
  const bytes = Buffer.from(DUMPED);
  fc.assert(
    fc.property(fc.array(fc.nat(bytes.length), { maxLength: 20 }), (places) => {
      const ends = [...places, bytes.length].toSorted((left, right) => left - right);
      const pieces = ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
      expect(read(...pieces)).toEqual(NAMES);
    }),
  );
});

test('a statement without an end counts too, and rows hold no programs', () => {
  expect(of('SELECT 1;\nCREATE EVENT e ON SCHEDULE')).toEqual(['event e']);
  expect(of("INSERT INTO t VALUES('CREATE EVENT e');\n")).toEqual([]);
});

test('a long statement costs no more than its beginning', () => {
  const body = 'x'.repeat(20_000_000);
  const pieces = [`CREATE PROCEDURE p() SELECT '${body}`, body, "';\nCREATE EVENT e ON;\n"];
  const startedAt = performance.now();
  expect(read(...pieces.map((piece) => Buffer.from(piece)))).toEqual(['procedure p', 'event e']);
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

test.each([
  ['shop-schema-post.sql', true],
  ['shop.orders-schema-triggers.sql', true],
  ['shop-schema-triggers.sql', true],
  ['shop.orders.00001.sql', false],
  ['shop.orders-schema.sql', false],
  ['metadata', false],
])('%s may hold programs: %s', (name, expected) => {
  expect(mayHoldPrograms(name)).toBe(expected);
});
