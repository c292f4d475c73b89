import type { Generation } from '../../app/mydumper/version.ts';
import type { Vendor } from '../support/mariadb/server-program.ts';

type By = { readonly generation: Generation; readonly vendor: Vendor };

/** A database that a generation of mydumper cannot dump, takes for something else, or changes. */
export type Contents = {
  readonly title: string;
  readonly only?: Vendor;
  /** Run in a new database `odd`, in a session without strict mode. `:PORT` is the server's own. */
  readonly statements: readonly string[];
  /** The refusal that the run must give before the dump, if any. */
  readonly refused?: (by: By) => RegExp | undefined;
  /** The warning that the run must give with its backup, if any. */
  readonly warned?: (by: By) => RegExp | undefined;
};

const TABLE = ['CREATE TABLE t (a int PRIMARY KEY)', 'INSERT INTO t VALUES (1)'];
const DAILY = "ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 00:00:00' DISABLE";

function programNamed(title: string, statement: string): Contents {
  return {
    title,
    statements: [...TABLE, statement],
    refused: () => /backtick in their name; create them under another name: "odd\.a`b"/,
  };
}

/** 900 columns of one table. */
function columns(letter: string): string {
  return Array.from({ length: 900 }, (_, index) => `${letter}${index} tinyint`).join(', ');
}

export const ODD_CONTENTS: readonly Contents[] = [
  {
    title: 'a table with the comment VIEW',
    statements: ["CREATE TABLE v (a int) COMMENT = 'VIEW'", 'INSERT INTO v VALUES (1)'],
    refused: ({ generation }) =>
      generation === 'classic' ? /comment "VIEW" for views; change it: "odd\.v"/ : undefined,
  },
  {
    title: 'a table with the comment SEQUENCE',
    statements: ["CREATE TABLE s (a int) COMMENT = 'SEQUENCE'", 'INSERT INTO s VALUES (1)'],
    refused: ({ generation, vendor }) =>
      generation === 'modern' && vendor === 'mariadb'
        ? /comment "SEQUENCE" for sequences; change it: "odd\.s"/
        : undefined,
  },
  {
    title: 'a sequence with the comment VIEW',
    only: 'mariadb',
    statements: [...TABLE, "CREATE SEQUENCE s COMMENT = 'VIEW'"],
    refused: ({ generation }) =>
      generation === 'classic' ? /comment "VIEW" for views; change it: "odd\.s"/ : undefined,
  },
  {
    title: 'comments that only resemble those of views and sequences',
    statements: [
      "CREATE TABLE t (a int) COMMENT = 'view'",
      "CREATE TABLE u (a int) COMMENT = 'VIEW of u'",
      "CREATE TABLE w (a int) COMMENT = 'sequence'",
    ],
  },
  {
    title: 'views whose first column is TEXT, BLOB, GEOMETRY or JSON',
    statements: [
      'CREATE TABLE t (a text, b longblob, g point, j json, l varchar(30000) CHARSET latin1)',
      "INSERT INTO t (a) VALUES ('x')",
      ...[...'abgjl'].map((column) => `CREATE VIEW v_${column} AS SELECT ${column}, 1 FROM t`),
      'CREATE VIEW w AS SELECT * FROM v_a',
    ],
  },
  {
    title: 'a view with more columns than a table of InnoDB may have',
    statements: [
      `CREATE TABLE t (${columns('c')})`,
      `CREATE TABLE u (${columns('d')})`,
      'CREATE VIEW v AS SELECT * FROM t, u',
    ],
  },
  programNamed(
    'a trigger with a backtick in its name',
    'CREATE TRIGGER `a``b` BEFORE INSERT ON t FOR EACH ROW SET @x = 1',
  ),
  programNamed('a procedure with a backtick in its name', 'CREATE PROCEDURE `a``b`() SELECT 1'),
  programNamed(
    'a function with a backtick in its name',
    'CREATE FUNCTION `a``b`() RETURNS int DETERMINISTIC NO SQL RETURN 1',
  ),
  programNamed('an event with a backtick in its name', `CREATE EVENT \`a\`\`b\` ${DAILY} DO DO 1`),
  {
    title: 'a library of code in JavaScript',
    only: 'mysql',
    statements: [...TABLE, 'CREATE LIBRARY l LANGUAGE JAVASCRIPT AS $$ export const a = 1 $$'],
    refused: () => /leaves libraries out: "odd\.l"/,
  },
  {
    title: 'a FEDERATED table, whose rows are those of another server',
    only: 'mysql',
    statements: [
      ...TABLE,
      "CREATE USER IF NOT EXISTS f IDENTIFIED BY 'f'",
      'GRANT ALL ON odd.* TO f',
      "CREATE TABLE far (a int) ENGINE = FEDERATED CONNECTION = 'mysql://f:f@127.0.0.1:PORT/odd/t'",
    ],
    refused: () => /FEDERATED tables are those of another server.*: "odd\.far"/,
  },
  {
    title: 'partitions by letters outside ASCII in a legacy character set',
    statements: [
      'CREATE TABLE t (a varchar(9)) CHARSET latin1 PARTITION BY LIST COLUMNS (a) ' +
        "(PARTITION x VALUES IN ('é', 'a'), PARTITION y VALUES IN ('ü'))",
      "INSERT INTO t VALUES ('é'), ('ü')",
    ],
    refused: ({ generation, vendor }) =>
      generation === 'classic' || vendor === 'mysql'
        ? /writes the partitions of these.*to utf8mb4: "odd\.t"/
        : undefined,
  },
  {
    title: 'partitions by letters outside ASCII in UTF-8',
    statements: [
      'CREATE TABLE t (a varchar(9)) CHARSET utf8mb4 PARTITION BY LIST COLUMNS (a) ' +
        "(PARTITION x VALUES IN ('é', 'a'), PARTITION y VALUES IN ('ü'))",
      "INSERT INTO t VALUES ('é'), ('ü')",
    ],
  },
  {
    title: 'letters in a generated column of a legacy character set',
    statements: [
      "CREATE TABLE t (a varchar(9), g varchar(9) AS (concat(a, 'é')) STORED) CHARSET latin1",
      "INSERT INTO t (a) VALUES ('x')",
    ],
    warned: ({ generation, vendor }) =>
      generation === 'modern' && vendor === 'mysql'
        ? /\? for letters in the expressions of these generated columns.*: "odd\.t\.g"/
        : undefined,
  },
  {
    title: 'letters in a generated column of UTF-8',
    statements: [
      "CREATE TABLE t (a varchar(9), g varchar(9) AS (concat(a, 'é')) STORED) CHARSET utf8mb4",
      "INSERT INTO t (a) VALUES ('x')",
    ],
  },
  {
    title: 'a foreign key to columns without a unique key of just these columns',
    only: 'mysql',
    statements: [
      '/*!80400 SET SESSION restrict_fk_on_non_standard_key = OFF */',
      'CREATE TABLE p (a int, b int, KEY (a), UNIQUE KEY (b, a))',
      'CREATE TABLE c (b int, FOREIGN KEY (b) REFERENCES p (b))',
    ],
    warned: () => /only with restrict_fk_on_non_standard_key=OFF: "odd\.c"$/,
  },
  {
    title: 'foreign keys to unique keys of one and of several columns',
    statements: [
      'CREATE TABLE p (a int, b int, c int PRIMARY KEY, UNIQUE KEY (a, b))',
      'CREATE TABLE c (a int, b int, c int, FOREIGN KEY (a, b) REFERENCES p (a, b), ' +
        'FOREIGN KEY (c) REFERENCES p (c))',
      'INSERT INTO p VALUES (1, 2, 3)',
      'INSERT INTO c VALUES (1, 2, 3)',
    ],
  },
  {
    title: 'the comment of an event that was created by a client of latin1',
    statements: [...TABLE, 'SET NAMES latin1', `CREATE EVENT e ${DAILY} COMMENT 'é' DO DO 1`],
    warned: () => /comments of these were written in a legacy character set.*: "odd\.e"/,
  },
  {
    title: 'programs without comments that were created by a client of latin1',
    statements: [
      ...TABLE,
      'SET NAMES latin1',
      `CREATE EVENT e ${DAILY} DO SELECT 'é'`,
      "CREATE TRIGGER r BEFORE INSERT ON t FOR EACH ROW SET @x = 'é'",
      "CREATE VIEW v AS SELECT 'é' `ü`",
    ],
  },
  {
    title: 'an event whose last time is over',
    statements: [
      ...TABLE,
      'SET SESSION timestamp = 1577836800',
      "CREATE EVENT e ON SCHEDULE AT '2020-06-01 00:00:00' DISABLE DO DO 1",
    ],
    warned: () => /does not create events again whose last time is over: "odd\.e"/,
  },
];
