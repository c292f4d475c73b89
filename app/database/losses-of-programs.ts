import type { Contents } from '../manifest/completeness.ts';
import type { Database, Row } from './connection.ts';
import { type DumpedBy, group, type Losses } from './loss-lines.ts';
import { inDatabases } from './schema-filter.ts';

/** Routines, triggers, events and libraries that mydumper does not keep. */
export async function programLosses(
  database: Database,
  { generation }: DumpedBy,
  { databases }: Contents,
): Promise<Losses> {
  const ask = (sql: string) => database.query(sql, databases);
  const routines = await ask(
    `SELECT ROUTINE_SCHEMA AS db, ROUTINE_NAME AS name, ROUTINE_TYPE AS type, SQL_MODE AS mode,
       ROUTINE_COMMENT AS comment, CHARACTER_SET_CLIENT AS charset
     FROM information_schema.ROUTINES WHERE ${inDatabases('ROUTINE_SCHEMA', databases)}`,
  );
  // A day of distance covers every time zone in which an event may be.
  const events = await ask(
    `SELECT EVENT_SCHEMA AS db, EVENT_NAME AS name, TIME_ZONE AS zone, SQL_MODE AS mode,
       EVENT_COMMENT AS comment, CHARACTER_SET_CLIENT AS charset,
       ON_COMPLETION = 'NOT PRESERVE'
         AND COALESCE(EXECUTE_AT, ENDS) < UTC_TIMESTAMP() - INTERVAL 1 DAY AS ended
     FROM information_schema.EVENTS WHERE ${inDatabases('EVENT_SCHEMA', databases)}`,
  );
  const triggers = await ask(
    `SELECT TRIGGER_SCHEMA AS db, TRIGGER_NAME AS name, SQL_MODE AS mode
     FROM information_schema.TRIGGERS WHERE ${inDatabases('TRIGGER_SCHEMA', databases)}`,
  );
  const [zone] = await database.query('SELECT @@system_time_zone AS zone');
  const programs = [...routines, ...events, ...triggers];
  return {
    refusals: [
      ...group(
        routines.filter(({ type }) => type === 'PACKAGE'),
        (names) =>
          `mydumper leaves packages out, or writes them so that they do not load: ${names}`,
      ),
      ...group(
        await readLibraries(database, databases),
        (names) => `mydumper leaves libraries out: ${names}`,
      ),
      ...group(
        programs.filter(({ name }) => String(name).includes('`')),
        (names) =>
          'mydumper cannot dump routines, triggers and events with a backtick in their name; ' +
          `create them under another name: ${names}`,
      ),
      ...(generation === 'classic' ? await misreadRoutines(database, routines) : []),
    ],
    warnings: [
      ...modeWarnings(programs),
      ...commentWarnings([...routines, ...events]),
      ...eventWarnings(events, String(zone?.zone ?? '')),
    ],
  };
}

/** Libraries of MySQL 9.2 and later. They hold code that routines in JavaScript import. */
async function readLibraries(
  database: Database,
  databases: readonly string[],
): Promise<readonly Row[]> {
  const known = await database.query(
    `SELECT 1 FROM information_schema.TABLES
     WHERE TABLE_SCHEMA = 'information_schema' AND TABLE_NAME = 'LIBRARIES'`,
  );
  if (known.length === 0) return [];
  return database.query(
    `SELECT LIBRARY_SCHEMA AS db, LIBRARY_NAME AS name
     FROM information_schema.LIBRARIES WHERE ${inDatabases('LIBRARY_SCHEMA', databases)}`,
    databases,
  );
}

/** Place of `character_set_client` among the columns of SHOW PROCEDURE STATUS, for 0.10. */
const CHARACTER_SET_PLACE = 8;

/**
 * 0.10 finds the character sets of a routine by their places in SHOW PROCEDURE STATUS. MySQL 9
 * lists one more column before them, so 0.10 writes the routine's comment in place of a character
 * set.
 */
async function misreadRoutines(database: Database, routines: readonly Row[]): Promise<string[]> {
  const listed = routines.filter(({ type }) => type === 'PROCEDURE' || type === 'FUNCTION');
  const [first] = listed;
  if (first === undefined) return [];
  const [status = {}] = await database.query(
    `SHOW ${first.type} STATUS WHERE Db = ? AND Name = ?`,
    [String(first.db), String(first.name)],
  );
  const place = Object.keys(status).indexOf('character_set_client');
  if (place === -1 || place === CHARACTER_SET_PLACE) return [];
  return group(
    listed,
    (names) => `mydumper 0.10 writes routines of this server so that they do not load: ${names}`,
  );
}

/** Modes that change the meaning of a body. mydumper does not dump the mode of an object. */
const MEANING_MODES = new RegExp(
  'PIPES_AS_CONCAT|ANSI_QUOTES|IGNORE_SPACE|NO_BACKSLASH_ESCAPES|' +
    'ORACLE|MSSQL|DB2|MAXDB|POSTGRESQL|(?:^|,)ANSI(?:,|$)',
);

function modeWarnings(objects: readonly Row[]): string[] {
  return group(
    objects.filter((row) => MEANING_MODES.test(String(row.mode))),
    (names) => `mydumper does not dump the SQL mode that the bodies of these depend on: ${names}`,
  );
}

/** The server shows the comment in UTF-8, and the body in the character set of its creation. */
function commentWarnings(programs: readonly Row[]): string[] {
  return group(
    programs.filter(
      ({ comment, charset }) =>
        /\P{ASCII}/u.test(String(comment ?? '')) && !/^(?:utf8|binary)/.test(String(charset)),
    ),
    (names) =>
      'the comments of these were written in a legacy character set and load as other text; ' +
      `their bodies do not change: ${names}`,
  );
}

function eventWarnings(events: readonly Row[], systemZone: string): string[] {
  const isUtc = (zone: string) => /^(?:\+00:00|UTC|GMT|Etc\/UTC)$/i.test(zone);
  return [
    ...group(
      events.filter(({ zone }) => !isUtc(zone === 'SYSTEM' ? systemZone : String(zone))),
      (names) =>
        `mydumper does not dump the time zone of events, which would run hours off: ${names}`,
    ),
    ...group(
      events.filter(({ ended }) => Number(ended) === 1),
      (names) => `the server does not create events again whose last time is over: ${names}`,
    ),
  ];
}
