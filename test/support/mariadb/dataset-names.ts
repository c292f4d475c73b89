import type { Connection } from 'mysql2/promise';
import { quoteName } from './sql.ts';

/** Table names that look like trouble and yet survive mydumper 0.10 and myloader 0.10. */
export const ODD_TABLE_NAMES: readonly string[] = [
  'double "quote"',
  'a.b',
  'many.dots.in.here',
  'with space',
  ' leading space',
  'tablé_表_ß',
  '100%s%d%n',
  'da-sh',
  '-rf',
  'select',
  '1st',
  '123',
  '..',
  'semi;colon',
  '#hash',
  '*?[a-z]',
  '$HOME',
  '~',
  'back\\slash',
  'tab\tname',
  'new\nline',
  'Case',
  'case',
  't',
  'metadata',
  'schema',
  'x.sql',
  'x.sql.gz',
  'mydumper_1',
  'x'.repeat(64),
  'é'.repeat(64),
  '表'.repeat(45),
];

/** Names that every pair of mydumper and server can dump and load. */
const PLAIN = /^[\w$-]+$/;

/**
 * Creates a small table for each odd name in the current database, with odd column and index names.
 * With `plain` only names of letters, digits, _, $ and -.
 */
export async function createOddNames(connection: Connection, plain: boolean): Promise<void> {
  for (const [number, name] of ODD_TABLE_NAMES.entries()) {
    if (plain && !PLAIN.test(name)) continue;
    await connection.query(
      `CREATE TABLE ${quoteName(name)} (\`select\` int PRIMARY KEY, ` +
        `\`it's "ä" %s;\` varchar(50), \`a.b\` int, KEY \`odd ";key\` (\`a.b\`))`,
    );
    await connection.query(`INSERT INTO ${quoteName(name)} VALUES (1, ?, ?), (2, NULL, NULL)`, [
      name,
      number,
    ]);
  }
}
