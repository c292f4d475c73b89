import { createRoutines } from '../../support/mariadb/dataset-objects.ts';
import type { MariaDb } from '../../support/mariadb/harness.ts';
import type { Row } from '../row.ts';
import { loadRows } from './loads.ts';

/** Programs whose bodies have another meaning, or none, under another SQL mode. */
const BY_MODE: readonly (readonly [mode: string, statements: readonly string[]])[] = [
  ['PIPES_AS_CONCAT', ["CREATE FUNCTION joined(a text) RETURNS text NO SQL RETURN a || ';' || a"]],
  [
    'ANSI_QUOTES',
    [
      'CREATE PROCEDURE quoted() SELECT "id" FROM "noted"',
      'CREATE TRIGGER "quoted trigger" BEFORE INSERT ON noted FOR EACH ROW ' +
        'SET NEW."what" = concat(NEW."what", \'"\')',
    ],
  ],
  [
    'NO_BACKSLASH_ESCAPES',
    ["CREATE FUNCTION slashed() RETURNS varchar(20) NO SQL RETURN concat('\\', length('\\n'))"],
  ],
  ['IGNORE_SPACE', ['CREATE FUNCTION spaced(a int) RETURNS int NO SQL RETURN abs (a)']],
  [
    'REAL_AS_FLOAT',
    ['CREATE PROCEDURE real_type() BEGIN DECLARE x real DEFAULT 0.1;\nSELECT x; END'],
  ],
  [
    '',
    [
      "CREATE EVENT lenient ON SCHEDULE EVERY 1 DAY STARTS '2035-01-01 03:00:00' DISABLE DO " +
        "INSERT INTO noted VALUES ('x', 'too long')",
    ],
  ],
];
const ORACLE: (typeof BY_MODE)[number] = [
  'ORACLE',
  ['CREATE FUNCTION oracle_style(a IN int) RETURN int AS b int := 1; BEGIN RETURN a + b; END;'],
];

async function createByMode(db: MariaDb): Promise<readonly string[]> {
  const connection = await db.connect();
  try {
    await connection.query('CREATE DATABASE modes');
    await connection.query('USE modes');
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query(
      'CREATE TABLE noted (id int AUTO_INCREMENT PRIMARY KEY, what varchar(3))',
    );
    for (const [mode, statements] of db.vendor === 'mariadb' ? [...BY_MODE, ORACLE] : BY_MODE) {
      await connection.query('SET SESSION sql_mode = ?', [mode]);
      for (const statement of statements) await connection.query(statement);
    }
  } finally {
    await connection.end();
  }
  return ['modes'];
}

async function createWithRoutines(db: MariaDb): Promise<readonly string[]> {
  const connection = await db.connect();
  try {
    await connection.query('CREATE DATABASE routines');
    await connection.query('USE routines');
    await createRoutines(connection, db.vendor);
  } finally {
    await connection.end();
  }
  return ['routines'];
}

export const programRows: readonly Row[] = [
  ...loadRows({
    id: 'routines',
    promises: {
      backup: 'Procedures and functions, also with bodies full of semicolons, quotes and comments',
      myloader: 'Loads procedures and functions',
      restore: '`restore` loads procedures and functions',
    },
    prepare: ({ db }) => createWithRoutines(db),
  }),
  ...loadRows({
    id: 'modes',
    promises: {
      backup:
        'Routines, triggers and events with SQL modes of their own: the manifest has the modes',
      myloader: 'Loads routines, triggers and events that need SQL modes of their own',
      restore: '`restore` gives routines, triggers and events their SQL modes',
    },
    prepare: ({ db }) => createByMode(db),
  }),
];
