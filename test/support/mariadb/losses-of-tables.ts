import type { SilentLoss } from './silent-loss.ts';

const rows600k = (n: number): string => `SELECT seq, repeat('x', 600000) FROM seq_1_to_${n}`;

/** Losses of rows, values and definitions of tables. */
export const tableLosses: readonly SilentLoss[] = [
  {
    id: 'inet6-uuid',
    why:
      'myloader sends text under SET NAMES binary, which these types take for 16 raw bytes, ' +
      'in a session that is not strict',
    symptom:
      'UUID and most INET6 become NULL, an INET6 of 16 characters becomes another address; ' +
      'the dump itself is right',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (id int PRIMARY KEY, u uuid, i inet6)',
      "INSERT INTO t VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::1'), " +
        "(2, NULL, '2001:db8::1:abcd')",
    ],
  },
  {
    id: 'literals-in-legacy-charsets',
    why:
      'CREATE TABLE is shown in UTF-8 and loaded under SET NAMES binary: ' +
      'literals are taken for bytes of the column',
    symptom:
      "ENUM members and DEFAULTs of latin1 columns change from 'ä' to 'Ã¤', " +
      'values of the ENUM with them',
    noticed: 'never',
    statements: [
      "CREATE TABLE t (e enum('ä', 'ö') CHARACTER SET latin1, " +
        "d varchar(9) CHARACTER SET latin1 DEFAULT 'ü')",
      "INSERT INTO t (e) VALUES ('ä'), ('ö')",
    ],
  },
  {
    id: 'invisible-columns',
    why: 'SELECT * leaves them out',
    symptom: 'their values are not dumped, the load gives them their default',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, b int INVISIBLE DEFAULT 7)',
      'INSERT INTO t (a, b) VALUES (1, 1)',
    ],
  },
  {
    id: 'system-versioning',
    why: 'SELECT * gives the present only, and row start and end are generated',
    symptom: 'the history is not dumped, rows begin at the time of the load',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, b int) WITH SYSTEM VERSIONING',
      'INSERT INTO t VALUES (1, 1), (2, 2)',
      'UPDATE t SET b = 9',
      'DELETE FROM t WHERE a = 2',
    ],
  },
  {
    id: 'float',
    why: 'a FLOAT as text has six digits',
    symptom: '16777216 comes back as 16777200',
    noticed: 'never',
    statements: ['CREATE TABLE t (a float)', 'INSERT INTO t VALUES (16777216), (0.1234567)'],
  },
  {
    id: 'enum-zero',
    why: "the invalid value (number 0) of an ENUM reads as '' and so does a member ''",
    symptom: 'number 0 comes back as the number of the member',
    noticed: 'never',
    statements: [
      "CREATE TABLE t (a enum('', 'x') NOT NULL)",
      "SET SESSION sql_mode = ''",
      'INSERT INTO t VALUES (0), (1)',
    ],
  },
  {
    id: 'header-of-last-file',
    why:
      'if the last row of a table is alone in a new file, that file lacks SET TIME_ZONE, ' +
      'FOREIGN_KEY_CHECKS and NAMES',
    symptom: 'with -F and a server not in UTC, the last TIMESTAMP is shifted',
    noticed: 'never',
    config: ['default-time-zone=+05:00'],
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, b longtext, c timestamp NOT NULL ' +
        "DEFAULT '2020-01-01 00:00:00')",
      `INSERT INTO t (a, b) ${rows600k(3)}`,
    ],
  },
  {
    id: 'generated-last-row',
    why: 'the INSERT of a last row that did not fit into the statement before has no column list',
    symptom:
      'without --complete-insert, a table with a generated column cannot be loaded (Column count)',
    noticed: 'load',
    plainInsert: true,
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, b longtext, c int AS (a + 1) STORED)',
      `INSERT INTO t (a, b) ${rows600k(2)}`,
    ],
  },
  {
    id: 'column-backtick',
    why: 'column names are put between backticks without doubling those inside',
    symptom:
      'mydumper exits 0 (with --complete-insert, a generated column or a view); ' +
      'syntax error when loading',
    noticed: 'load',
    statements: ['CREATE TABLE t (`a``b` int)', 'INSERT INTO t VALUES (1)'],
  },
  {
    id: 'no-backslash-escapes',
    why:
      'under this global SQL mode values are escaped in another way than mydumper quotes ' +
      'them, and myloader runs without it',
    symptom:
      "it's becomes it''s, \\n a line end, bytes after a NUL are cut off; " +
      'a value with " cannot be loaded',
    noticed: 'never',
    config: ['sql_mode=NO_BACKSLASH_ESCAPES,STRICT_TRANS_TABLES'],
    remedy: "SET SESSION sql_mode = ''",
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY, b varbinary(100))',
      "INSERT INTO t VALUES (1, 'it''s'), (2, 0x5c6e), (3, 0x410042)",
    ],
  },
  {
    id: 'oracle-mode',
    why:
      'under this global SQL mode SHOW CREATE TABLE leaves out engine, ' +
      'character set and AUTO_INCREMENT',
    symptom: 'tables come back without them',
    noticed: 'never',
    config: ['sql_mode=ORACLE'],
    remedy: "SET SESSION sql_mode = ''",
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY AUTO_INCREMENT, b varchar(9)) ' +
        'ENGINE=MyISAM CHARSET=latin1',
      "INSERT INTO t VALUES (1, 'ä')",
    ],
  },
];
