import type { SilentLoss } from './silent-loss.ts';

/** Losses of triggers, routines, events, views and whole databases. */
export const programLosses: readonly SilentLoss[] = [
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
    why:
      'SHOW TRIGGERS LIKE takes _ and % in a table name for wildcards, so another table’s ' +
      'triggers are dumped twice',
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
    why:
      'a blank is put after every ; at a line’s end in routines, triggers and events, ' +
      'also within strings',
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
    why:
      'a view over a missing table has no engine and counts as a broken table, ' +
      'like a damaged table would',
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
];
