import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Database, openDatabase } from '../../app/database/connection.ts';
import { quoteName } from '../../app/restore/target.ts';
import { startMariaDb } from '../../test/support/mariadb/harness.ts';
import { serverAddress } from '../../test/support/mariadb/server-address.ts';
import type { Target } from '../target.ts';
import { hostileText } from '../texts.ts';

const MODES = [
  '',
  'NO_BACKSLASH_ESCAPES',
  'ANSI_QUOTES',
  'ORACLE',
  'STRICT_ALL_TABLES,NO_BACKSLASH_ESCAPES,ANSI_QUOTES',
];
const CHARSETS = ['utf8mb4', 'latin1', 'gbk', 'sjis'];
/**
 * The names that MariaDB accepts: characters of the first plane, without NUL, no blank at the end.
 */
const isName = (text: string) =>
  text !== '' &&
  text.length <= 64 &&
  text.isWellFormed() &&
  !/[\0\u{10000}-\u{10ffff}]/u.test(text) &&
  text.trimEnd() === text;

/** Values and names reach a real server unchanged, under any SQL mode and character set. */
export const sql: Target = {
  name: 'sql',
  quickCases: 100,
  open: async () => {
    const db = await startMariaDb();
    await db.query('CREATE DATABASE fuzz');
    const connections: Database[] = [];
    for (const mode of MODES)
      for (const charset of CHARSETS) {
        await db.query('SET GLOBAL sql_mode = ?', [mode]);
        await db.query('SET GLOBAL character_set_client = ?', [charset]);
        await db.query('SET GLOBAL character_set_connection = ?', [charset]);
        connections.push(await openDatabase(serverAddress(db)));
      }
    return {
      close: async () => {
        for (const connection of connections) await connection.close();
        await db.stop();
      },
      property: fc.asyncProperty(
        fc.nat(connections.length - 1),
        hostileText(),
        hostileText(5),
        async (at, value, name) => {
          const connection = connections[at];
          if (connection === undefined || !value.isWellFormed()) return;
          const [given] = await connection.query('SELECT ? AS v, ? AS n', [value, 7]);
          assert.deepEqual({ ...given }, { v: value, n: 7 });
          if (!isName(name)) return;
          const quoted = quoteName('fuzz', name);
          await connection.query(`CREATE TEMPORARY TABLE ${quoted} (${quoteName(name)} int)`);
          const [column] = await connection.query(`SHOW COLUMNS FROM ${quoted}`);
          await connection.query(`DROP TEMPORARY TABLE ${quoted}`);
          assert.equal(column?.Field, name);
        },
      ),
    };
  },
};
