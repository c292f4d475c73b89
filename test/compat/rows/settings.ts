import { describeServer, type ServerDescription } from '../../support/mariadb/compare.ts';
import type { Pair, Row } from '../row.ts';
import { backUp, expectSameAsSql } from '../runs.ts';
import { once } from './loads.ts';

/** Global SQL modes that change how clients write or read statements. */
const MODES = ['NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES,PIPES_AS_CONCAT,PAD_CHAR_TO_FULL_LENGTH'];
const MARIADB_MODES = [
  'ORACLE',
  'EMPTY_STRING_IS_NULL,NO_ZERO_IN_DATE,NO_ZERO_DATE,STRICT_ALL_TABLES',
];

/** Settings that every connection inherits from the server, and that a dump must override. */
const DEFAULTS: readonly (readonly [name: string, value: string])[] = [
  ['sql_select_limit', '3'],
  ['max_join_size', '1'],
  ['sql_quote_show_create', '0'],
  ['autocommit', '0'],
  ['time_zone', "'+05:00'"],
  ['sql_safe_updates', '1'],
  ['group_concat_max_len', '4'],
  ['character_set_client', 'latin1'],
  ['character_set_results', 'latin1'],
  ['character_set_connection', 'latin1'],
];

const hard = once(async ({ db }): Promise<ServerDescription> => {
  const connection = await db.connect();
  try {
    await connection.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    await connection.query('CREATE DATABASE settings CHARACTER SET utf8mb4');
    await connection.query('USE settings');
    await connection.query(
      'CREATE TABLE `select` (id int AUTO_INCREMENT PRIMARY KEY, `order` text, ' +
        "b varbinary(99), c char(9), d datetime, t timestamp NULL) ENGINE=InnoDB COMMENT 'ä'",
    );
    await connection.query(
      "INSERT INTO `select` (`order`, b, c, d, t) VALUES ('it''s;\\n\\'; x', x'5c270a3b00', " +
        "'a ', '0000-00-00', '2024-01-01 00:00:00'), ('\\\\', x'41004200', '', '2024-00-10', " +
        "NULL), ('\"', '', 'ä', NULL, NULL), ('日本', NULL, NULL, NULL, NULL), " +
        "('', NULL, NULL, NULL, NULL)",
    );
    await connection.query("CREATE VIEW `group` AS SELECT id, 'lit;' l FROM `select`");
  } finally {
    await connection.end();
  }
  return describeServer(db, ['settings']);
});

/** Makes a backup under these global settings and compares it. */
async function under(pair: Pair, source: string, settings: typeof DEFAULTS): Promise<void> {
  const { db, world, copy } = pair;
  const before = await hard(pair);
  const changed: string[] = [];
  try {
    for (const [name, value] of settings) {
      await db.query(`SET GLOBAL ${name} = ${value}`);
      changed.push(name);
    }
    const backup = await backUp(world, { SOURCE: source, DATABASES: 'settings' });
    await expectSameAsSql(world, copy, backup, before);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const named = settings.map(([name, value]) => `${name}=${value}`).join(', ');
    throw Object.assign(new Error(`under ${named}: ${reason}`), {
      name: error instanceof Error ? error.name : 'Error',
    });
  } finally {
    for (const name of changed) await db.query(`SET GLOBAL ${name} = DEFAULT`);
  }
}

export const settingRows: readonly Row[] = [
  {
    id: 'global-sql-modes',
    part: 'backup',
    promise:
      'A server whose global `sql_mode` is `NO_BACKSLASH_ESCAPES`, `ANSI_QUOTES` or `ORACLE`',
    run: async (pair) => {
      const modes = pair.db.vendor === 'mariadb' ? [...MODES, ...MARIADB_MODES] : MODES;
      for (const mode of modes) await under(pair, 'modes', [['sql_mode', `'${mode}'`]]);
      return undefined;
    },
  },
  {
    id: 'session-defaults',
    part: 'backup',
    promise:
      'A server with unusual session defaults: `sql_select_limit`, `max_join_size`, ' +
      '`autocommit=0` and more',
    run: async (pair) => {
      await under(pair, 'defaults', DEFAULTS);
      return undefined;
    },
  },
];
