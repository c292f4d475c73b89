import type { Connection } from 'mysql2/promise';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import { quoteName } from '../../support/mariadb/sql.ts';
import type { Row } from '../row.ts';
import { loadRows } from './loads.ts';

/** A type and values for it, as SQL. */
type Type = readonly [type: string, ...values: readonly string[]];

const COMMON: readonly Type[] = [
  ['tinyint', '-128', '127'],
  ['smallint unsigned', '0', '65535'],
  ['mediumint', '-8388608', '8388607'],
  ['int(9) unsigned zerofill', '0', '4294967295'],
  ['bigint', '-9223372036854775808', '9223372036854775807'],
  ['bigint unsigned', '18446744073709551615'],
  ['decimal(65,30)', `-${'9'.repeat(35)}.${'1234567890'.repeat(3)}`, '0'],
  ['double', '1.7976931348623157e308', '2.2250738585072014e-308', '0.1', '-1e22'],
  ['bit(1)', "b'0'", "b'1'"],
  ['bit(64)', "b'0'", `b'${'1'.repeat(64)}'`],
  ['boolean', 'true', 'false'],
  ['char(255)', "''", "'ü '", "'\\'\\\"\\\\\\0\\n'"],
  ['varchar(1000)', "''", "'a '", "repeat('😀', 1000)"],
  ['binary(16)', "''", "x'00ff5c27220a1a0d'"],
  ['varbinary(300)', "''", "'a \\0'", "concat(x'00', x'ff', '\\\\', '\\'', '\"', '\\n', x'1a')"],
  ...['tiny', '', 'medium', 'long'].flatMap((size): Type[] => [
    [`${size}text`, "''", "'日本;\\n--'"],
    [`${size}blob`, "''", "x'00ff5c27220a1a0de697a5'"],
  ]),
  ["enum('a','it''s','b;\\n')", "'a'", '2', '3', '0'],
  ["set('a','b c','é')", "''", '7'],
  ['date', "'0000-00-00'", "'1000-01-01'", "'9999-12-31'", "'2024-00-00'"],
  ['time(6)', "'-838:59:59.000001'", "'838:59:59.999999'"],
  ['datetime(6)', "'0000-00-00'", "'2024-03-31 02:30:00.000001'", "'9999-12-31 23:59:59.999999'"],
  ['timestamp(6) NULL', "'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"],
  ['year', '0', '1901', '2155'],
  ['json', '\'{"kéy": [1, null, true, {}, "\\\\u0000\\\\\\\\"]}\'', "'[]'"],
  ['point', "ST_GeomFromText('POINT(1.5 -2)')"],
  ['linestring', "ST_GeomFromText('LINESTRING(0 0, 1e10 1e-10)')"],
  ['polygon', "ST_GeomFromText('POLYGON((0 0, 1 0, 1 1, 0 0))')"],
  ['multipoint', "ST_GeomFromText('MULTIPOINT(0 0, 1 1)')"],
  ['multilinestring', "ST_GeomFromText('MULTILINESTRING((0 0, 1 1), (2 2, 3 3))')"],
  ['multipolygon', "ST_GeomFromText('MULTIPOLYGON(((0 0, 1 0, 1 1, 0 0)))')"],
  ['geometrycollection', "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 1 1))')"],
  ['geometry', "ST_GeomFromText('POINT(1 2)', 4326)"],
];

const MARIADB: readonly Type[] = [
  ['longtext compressed', "repeat('x;\\n', 500)", "''"],
  ['longblob compressed', "repeat(x'00ff', 500)"],
];

const MYSQL: readonly Type[] = [['point SRID 4326', "ST_GeomFromText('POINT(51.5 -0.12)', 4326)"]];

/** Types that only recent versions of the vendor have. */
const RECENT: Readonly<Record<MariaDb['vendor'], readonly Type[]>> = {
  mariadb: [['vector(3)', "VEC_FromText('[1,-0.5,1e-10]')"]],
  mysql: [['vector(3)', "STRING_TO_VECTOR('[1,-0.5,1e-10]')"]],
};

/** MariaDB's types that read a binary literal as raw bytes. */
const ADDRESSES: readonly Type[] = [
  ['uuid', "'123e4567-e89b-12d3-a456-426655440000'"],
  ['inet4', "'192.168.0.1'"],
  ['inet6', "'::1'", "'2001:db8::1:abcd'"],
];

/** Creates a table for each type, named after it. */
async function createTables(connection: Connection, types: readonly Type[]): Promise<void> {
  for (const [index, [type, ...values]] of types.entries()) {
    const name = quoteName(`${type.replace(/[^a-z0-9]+/gi, '_')}_${index}`);
    await connection.query(`CREATE TABLE ${name} (id int PRIMARY KEY AUTO_INCREMENT, v ${type})`);
    const rows = [...values, 'NULL'].map((value) => `(${value})`);
    await connection.query(`INSERT INTO ${name} (v) VALUES ${rows.join(', ')}`);
  }
}

/** Creates a table for each of the server's character sets, with text that is hard to convert. */
async function createCharacterSets(connection: Connection): Promise<void> {
  const [sets] = await connection.query(
    'SELECT CHARACTER_SET_NAME n FROM information_schema.CHARACTER_SETS ORDER BY 1',
  );
  for (const { n } of sets as { n: string }[]) {
    if (n === 'binary') continue;
    await connection.query(
      `CREATE TABLE charset_${n} (id int PRIMARY KEY AUTO_INCREMENT, v varchar(40)) CHARSET ${n}`,
    );
    await connection.query(
      `INSERT INTO charset_${n} (v) VALUES ('a\\'b"\\\\;\\n'), ('äöüéß'), ('表示能ソ'), ('אבγδ'), ('')`,
    );
  }
}

async function inDatabase(
  db: MariaDb,
  name: string,
  fill: (connection: Connection) => Promise<void>,
): Promise<readonly string[]> {
  const connection = await db.connect();
  try {
    await connection.query(`CREATE DATABASE ${name} CHARACTER SET utf8mb4`);
    await connection.query(`USE ${name}`);
    // Without strict mode, zero dates and truncated values are data too.
    await connection.query("SET SESSION sql_mode = '', time_zone = '+00:00'");
    await fill(connection);
  } finally {
    await connection.end();
  }
  return [name];
}

export const typeRows: readonly Row[] = [
  ...loadRows({
    id: 'types',
    promises: {
      backup: 'Every type and every character set of the server, with values at the edges',
      myloader: 'Loads every type and character set',
      restore: '`restore` loads every type and character set',
    },
    prepare: ({ db }) =>
      inDatabase(db, 'types', async (connection) => {
        await createTables(connection, [...COMMON, ...(db.vendor === 'mariadb' ? MARIADB : MYSQL)]);
        for (const type of RECENT[db.vendor]) {
          await createTables(connection, [type]).catch((error: Error) => {
            if (!/Unknown data type|error in your SQL syntax/.test(error.message)) throw error;
          });
        }
        await createCharacterSets(connection);
      }),
  }),
  ...loadRows({
    id: 'addresses',
    only: 'mariadb',
    promises: {
      myloader: 'Loads `UUID`, `INET4` and `INET6`',
      restore: '`restore` loads `UUID`, `INET4` and `INET6`',
    },
    prepare: ({ db }) =>
      inDatabase(db, 'addresses', (connection) => createTables(connection, ADDRESSES)),
  }),
  ...loadRows({
    id: 'definitions',
    promises: {
      backup: 'Comments, defaults and `ENUM` members with letters that the table cannot hold',
      myloader: 'Loads comments, defaults and `ENUM` members in every character set',
      restore: '`restore` loads comments, defaults and `ENUM` members in every character set',
    },
    warning: /ENUM members and defaults/,
    prepare: ({ db }) =>
      inDatabase(db, 'definitions', async (connection) => {
        for (const charset of ['latin1', 'sjis', 'ucs2', 'utf16', 'utf8mb3']) {
          await connection.query(
            `CREATE TABLE t_${charset} (id int PRIMARY KEY, a varchar(10) DEFAULT 'a\\\\''' ` +
              "COMMENT '表示 ü', e enum('é', 'b') CHARSET latin1 DEFAULT 'é', " +
              `j varchar(9) CHARSET sjis DEFAULT '表示') CHARSET ${charset} COMMENT 'ünïcödé 日本'`,
          );
          await connection.query(`INSERT INTO t_${charset} (id) VALUES (1), (2)`);
        }
      }),
  }),
  ...loadRows({
    id: 'float',
    promises: { backup: '`FLOAT` values with more than six digits' },
    warning: /^FLOAT values are dumped/,
    prepare: ({ db }) =>
      inDatabase(db, 'floats', (connection) =>
        createTables(connection, [['float', '16777216', '0.1234567', '-3.4028234e38']]),
      ),
  }),
  ...loadRows({
    id: 'invisible-columns',
    promises: { backup: 'Invisible columns' },
    prepare: ({ db }) =>
      inDatabase(db, 'invisible', async (connection) => {
        await connection.query(
          'CREATE TABLE t (a int PRIMARY KEY, b int INVISIBLE DEFAULT 7, c text)',
        );
        await connection.query("INSERT INTO t (a, b, c) VALUES (1, 1, 'x'), (2, 2, NULL)");
      }),
  }),
  ...loadRows({
    id: 'expression-defaults',
    promises: { backup: 'Defaults that are expressions, `CURRENT_TIMESTAMP` among them' },
    prepare: ({ db }) =>
      inDatabase(db, 'defaults', async (connection) => {
        await connection.query(
          'CREATE TABLE t (a int PRIMARY KEY, b int DEFAULT (a * 2), c char(36) ' +
            "DEFAULT (concat('x;', 'y')), d timestamp(6) NULL " +
            'DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6))',
        );
        await connection.query(
          "INSERT INTO t VALUES (1, 1, 'x', '2024-01-01 00:00:00.5'), (2, 2, 'y', NULL)",
        );
      }),
  }),
  ...loadRows({
    id: 'versioned',
    only: 'mariadb',
    promises: { backup: 'The history of system-versioned tables' },
    warning: /^the history of system-versioned tables/,
    prepare: ({ db }) =>
      inDatabase(db, 'versioned', async (connection) => {
        await connection.query('CREATE TABLE t (a int PRIMARY KEY, b int) WITH SYSTEM VERSIONING');
        await connection.query('INSERT INTO t VALUES (1, 1), (2, 2)');
        await connection.query('UPDATE t SET b = 9');
        await connection.query('DELETE FROM t WHERE a = 2');
      }),
  }),
];
