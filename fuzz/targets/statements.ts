import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sendStatement } from '../../app/database/statement-wire.ts';
import { createInsertReader, ForeignStatement } from '../../app/restore/insert-reader.ts';
import { startMariaDb } from '../../test/support/mariadb/harness.ts';
import type { Target } from '../target.ts';

/** Pieces of statements. Texts made of them often resemble statements that mydumper writes. */
const PIECES = [
  'INSERT INTO `t` VALUES (1)',
  'INSERT INTO t(a) VALUES\n(1)\n,(2)',
  'REPLACE INTO `t` VALUES',
  '(1)',
  ',(2)',
  'INSERT ',
  'INTO ',
  '`t`',
  '`there`.`t`',
  'there.t',
  'VALUES',
  'SELECT 1',
  'SET NAMES binary',
  'SET ',
  'GLOBAL ',
  'SESSION ',
  '@@',
  '@OLD_SQL_MODE=7',
  'sql_mode=',
  "'ANSI_QUOTES'",
  'autocommit=1',
  ', ',
  'time_zone=',
  "'+00:00'",
  'DELETE FROM there.t',
  'DROP TABLE there.t',
  'TRUNCATE there.t',
  'COMMIT',
  'ROLLBACK',
  'BEGIN',
  'CREATE TABLE x (a int)',
  'UNLOCK TABLES',
  'INSERT INTO there.t VALUES (9)',
  '/*',
  '*/',
  '/*!',
  '/*!40101 ',
  '/*M!',
  '/*!99999999 ',
  '-- ',
  '--',
  '#',
  "'",
  '"',
  '`',
  '\\',
  ';',
  '; ',
  ' ',
  '\n',
  '\t',
  '\r',
  '\0',
  '1',
  '=',
  '(',
  ')',
]; // what a hostile file is made of
const statement = fc
  .tuple(
    fc.array(
      fc.constantFrom('', '/* x */', '-- x\n', '--\n', '/*!', '/*!40101 ', '/*M!', '#', ' ', '\n'),
      {
        maxLength: 2,
      },
    ),
    fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 5 }),
    fc.constantFrom('', '*/', ' */', '\n'),
  )
  .map(([lead, pieces, end]) => `${lead.join('')}${pieces.join('')}${end};\n`);

/**
 * Sends the rows that the reader gives for a file to a real server, one by one, as a restore does.
 * They stay within their transaction and touch no other table, and leave the server's settings
 * alone.
 */
export const statements: Target = {
  name: 'statements',
  quickCases: 3000,
  open: async () => {
    const db = await startMariaDb();
    const reset = async () => {
      for (const name of ['here', 'there']) {
        await db.query(`CREATE OR REPLACE DATABASE ${name}`);
        await db.query(`CREATE TABLE ${name}.t (a varchar(20)) ENGINE=InnoDB`);
      }
      await db.query("INSERT INTO there.t VALUES ('kept')");
    };
    await reset();
    const loader = await db.connect({ database: 'here' });
    const rows = async (query: string) => JSON.stringify((await loader.query(query))[0]);
    const SETTINGS = "SHOW GLOBAL VARIABLES WHERE Variable_name NOT LIKE 'gtid%'";
    const settings = await rows(SETTINGS);
    const KEPT = await rows('SELECT HEX(a) AS a FROM there.t');
    let turn = 0;
    /** The case before was a failure, of which nothing may be left. */
    let isSpoiled = false;
    return {
      close: async () => {
        await loader.end();
        await db.stop();
      },
      property: fc.asyncProperty(
        fc.array(statement, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 30 }),
        async (list, size) => {
          const content = Buffer.from(list.join(''));
          const given = rowsOf(content, size);
          if (given === undefined) return;
          turn += 1;
          if (isSpoiled) {
            await loader.query('ROLLBACK');
            await reset();
            await loader.query('USE here');
          }
          isSpoiled = true;
          await loader.query("SET autocommit=1, sql_mode=''");
          await loader.query('START TRANSACTION');
          await loader.query('INSERT INTO t VALUES (0)');
          for (const slices of given) await sendStatement(loader, slices).catch(() => {});
          const [state] = JSON.parse(await rows('SELECT @@in_transaction AS open')) as {
            open: unknown;
          }[];
          assert.equal(Number(state?.open), 1);
          assert.equal(await rows('SELECT HEX(a) AS a FROM there.t'), KEPT);
          await loader.query('ROLLBACK');
          assert.equal(await rows('SELECT a FROM t'), '[]');
          if (turn % 20 === 0) assert.equal(await rows(SETTINGS), settings);
          isSpoiled = false;
        },
      ),
    };
  },
};

/** undefined for a file that is refused. */
function rowsOf(content: Buffer, size: number): (readonly Uint8Array[])[] | undefined {
  const reader = createInsertReader({
    table: 't',
    partBytes: 50,
    largestBytes: 1_000_000,
    skipTo: 0,
    columns: ['a'],
    textColumns: new Set(),
  });
  const statements: ReturnType<typeof reader.read> = [];
  try {
    for (let at = 0; at < content.length; at += size)
      statements.push(...reader.read(content.subarray(at, at + size)));
    statements.push(...reader.end());
  } catch (error) {
    assert(error instanceof ForeignStatement);
    return undefined;
  }
  return statements.flatMap((each) => (each.kind === 'rows' ? [each.slices] : []));
}
