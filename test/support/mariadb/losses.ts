import type { MariaDb } from './harness.ts';
import type { Noticed } from './hostile.ts';
import { quoteName } from './sql.ts';

/** Something that mydumper 0.10 and myloader 0.10 do not keep, often with exit code 0 of both. */
export interface SilentLoss {
  readonly id: string;
  readonly why: string;
  /** What was seen with mydumper and myloader 0.10.1 and MariaDB 10.11. */
  readonly symptom: string;
  /**
   * Where it shows, with `--triggers --events --routines -F 1` and `--complete-insert` unless
   * `args` say otherwise.
   */
  readonly noticed: Noticed;
  /** Run in a fresh database `loss`, in a session with `time_zone = '+00:00'`. */
  readonly statements: readonly string[];
  /** Configuration that both servers need for the loss to show. */
  readonly config?: readonly string[];
  /** mydumper without `--complete-insert`. */
  readonly plainInsert?: boolean;
  /** An `init-command` for mydumper's option file under which nothing is lost. */
  readonly remedy?: string;
}

const rows600k = (n: number): string => `SELECT seq, repeat('x', 600000) FROM seq_1_to_${n}`;

/** Each was tried; none is in the databases that `createNastyDatabases` makes. */
export const silentLosses: readonly SilentLoss[] = [
  {
    id: 'inet6-uuid',
    why: 'myloader sends text under SET NAMES binary, which these types take for 16 raw bytes, in a session that is not strict',
    symptom:
      'UUID and most INET6 become NULL, an INET6 of 16 characters becomes another address; the dump itself is right',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (id int PRIMARY KEY, u uuid, i inet6)',
      "INSERT INTO t VALUES (1, '123e4567-e89b-12d3-a456-426655440000', '::1'), (2, NULL, '2001:db8::1:abcd')",
    ],
  },
  {
    id: 'literals-in-legacy-charsets',
    why: 'CREATE TABLE is shown in UTF-8 and loaded under SET NAMES binary: literals are taken for bytes of the column',
    symptom:
      "ENUM members and DEFAULTs of latin1 columns change from 'ä' to 'Ã¤', values of the ENUM with them",
    noticed: 'never',
    statements: [
      "CREATE TABLE t (e enum('ä', 'ö') CHARACTER SET latin1, d varchar(9) CHARACTER SET latin1 DEFAULT 'ü')",
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
    why: 'if the last row of a table is alone in a new file, that file lacks SET TIME_ZONE, FOREIGN_KEY_CHECKS and NAMES',
    symptom: 'with -F and a server not in UTC, the last TIMESTAMP is shifted',
    noticed: 'never',
    config: ['default-time-zone=+05:00'],
    statements: [
      "CREATE TABLE t (a int PRIMARY KEY, b longtext, c timestamp NOT NULL DEFAULT '2020-01-01 00:00:00')",
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
    id: 'backslash-triggers',
    why: "names are not escaped in SHOW TRIGGERS LIKE '%s'",
    symptom: 'triggers of the table are not dumped',
    noticed: 'never',
    statements: [
      'CREATE TABLE `back\\slash` (a int)',
      'CREATE TRIGGER t1 BEFORE INSERT ON `back\\slash` FOR EACH ROW SET NEW.a = 1',
    ],
  },
  {
    id: 'like-triggers',
    why: 'SHOW TRIGGERS LIKE takes _ and % in a table name for wildcards, so another table’s triggers are dumped twice',
    symptom: 'Trigger already exists; what follows in that file is not loaded',
    noticed: 'load',
    statements: [
      'CREATE TABLE a_b (a int)',
      'CREATE TABLE axb (a int)',
      'CREATE TRIGGER t1 BEFORE INSERT ON a_b FOR EACH ROW SET NEW.a = 1',
      'CREATE TRIGGER t2 BEFORE INSERT ON axb FOR EACH ROW SET NEW.a = 2',
      'CREATE TRIGGER t3 AFTER DELETE ON axb FOR EACH ROW SET @a = 2',
    ],
  },
  {
    id: 'sql-mode',
    why: 'the SQL mode of routines, triggers and events is not dumped',
    symptom:
      "'a' || 'b' becomes a logical OR; bodies with \"quoted\" names mean strings or fail to load",
    noticed: 'never',
    statements: [
      "SET SESSION sql_mode = 'PIPES_AS_CONCAT'",
      "CREATE FUNCTION f() RETURNS varchar(9) RETURN 'a' || 'b'",
      'CREATE TABLE t (a int)',
    ],
  },
  {
    id: 'event-time-zone',
    why: 'the time zone of an event is not dumped; myloader creates it under +00:00',
    symptom: 'the event runs hours later or earlier',
    noticed: 'never',
    statements: [
      "SET SESSION time_zone = '+05:00'",
      "CREATE EVENT e ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 03:00:00' DISABLE DO DO 1",
      'CREATE TABLE t (a int)',
    ],
  },
  {
    id: 'semicolon-line-end',
    why: 'a blank is put after every ; at a line’s end in routines, triggers and events, also within strings',
    symptom: "the literal 'x;<newline>y' gains a blank (differences() tells only with exactBodies)",
    noticed: 'never',
    statements: [
      "CREATE FUNCTION f() RETURNS text RETURN 'x;\\ny'".replace('\\n', '\n'),
      'CREATE TABLE t (a int)',
    ],
  },
  {
    id: 'empty-database',
    why: 'myloader creates a database only when it loads a table of it',
    symptom: 'a database without tables is not created',
    noticed: 'never',
    statements: [],
  },
  {
    id: 'only-routines',
    why: 'myloader creates a database only when it loads a table of it',
    symptom: 'Error switching to database; its routines and events are not loaded',
    noticed: 'load',
    statements: ['CREATE PROCEDURE p() SELECT 1'],
  },
  {
    id: 'broken-view',
    why: 'a view over a missing table has no engine and counts as a broken table, like a damaged table would',
    symptom: 'mydumper warns "Broken table detected" and exits 0; not dumped',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (a int)',
      'CREATE TABLE u (a int)',
      'CREATE VIEW v AS SELECT * FROM t',
      'DROP TABLE t',
    ],
  },
  {
    id: 'comment-view',
    why: 'a table whose comment is VIEW is taken for a view',
    symptom: "mydumper: is not of type 'VIEW', exit 1, no data",
    noticed: 'dump',
    statements: ["CREATE TABLE t (a int) COMMENT = 'VIEW'", 'INSERT INTO t VALUES (1)'],
  },
  {
    id: 'package',
    why: 'packages are not listed by SHOW PROCEDURE STATUS',
    symptom: 'not dumped',
    noticed: 'never',
    statements: [
      'CREATE TABLE t (a int)',
      "SET SESSION sql_mode = 'ORACLE'",
      'CREATE PACKAGE pkg AS FUNCTION f RETURN INT; END',
      'CREATE PACKAGE BODY pkg AS FUNCTION f RETURN INT AS BEGIN RETURN 1; END; END',
    ],
  },
  {
    id: 'column-backtick',
    why: 'column names are put between backticks without doubling those inside',
    symptom:
      'mydumper exits 0 (with --complete-insert, a generated column or a view); syntax error when loading',
    noticed: 'load',
    statements: ['CREATE TABLE t (`a``b` int)', 'INSERT INTO t VALUES (1)'],
  },
  {
    id: 'no-backslash-escapes',
    why: 'under this global SQL mode values are escaped in another way than mydumper quotes them, and myloader runs without it',
    symptom:
      "it's becomes it''s, \\n a line end, bytes after a NUL are cut off; a value with \" cannot be loaded",
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
    why: 'under this global SQL mode SHOW CREATE TABLE leaves out engine, character set and AUTO_INCREMENT',
    symptom: 'tables come back without them',
    noticed: 'never',
    config: ['sql_mode=ORACLE'],
    remedy: "SET SESSION sql_mode = ''",
    statements: [
      'CREATE TABLE t (a int PRIMARY KEY AUTO_INCREMENT, b varchar(9)) ENGINE=MyISAM CHARSET=latin1',
      "INSERT INTO t VALUES (1, 'ä')",
    ],
  },
];

/**
 * Creates a database `loss` with what the loss needs, on a server that runs with the loss's
 * `config`, and gives its name.
 */
export async function createSilentLoss(db: MariaDb, which: SilentLoss): Promise<string> {
  const connection = await db.connect();
  try {
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query(`CREATE DATABASE ${quoteName('loss')}`);
    await connection.query('USE loss');
    for (const statement of which.statements) await connection.query(statement);
    return 'loss';
  } finally {
    await connection.end();
  }
}
