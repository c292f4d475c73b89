import { likePattern } from '../database/grants.ts';
import type { Contents, DatabaseObject } from '../manifest/completeness.ts';
import { FOREIGN_DIRECTORY } from './database-regex.ts';
import { LOCKS_RELEASED_TEXTS } from './log-reader.ts';
import type { Generation } from './version.ts';

/** NAME_MAX of Linux file systems, in bytes. */
const LONGEST_FILE_NAME_BYTES = 255;
/**
 * The suffix that mydumper 0.10 gives a chunk until it knows whether the table has more. It makes
 * the longest name of a data file.
 */
const CHUNK = '.00001';
/**
 * myloader looks for these anywhere in a file name. With such a table name it takes the rows for
 * something else.
 */
const TAKEN_FOR_SCHEMA = /-schema(?:-create|-post|-triggers|-view)?(?:\.sql|$)/;

/**
 * Names that mydumper 0.10 cannot dump, or myloader 0.10 cannot load, one line each. mydumper 0.10
 * copies names into file names and statements as they are. A `/` makes a path of the file name. A
 * backtick or a quote breaks its queries. Names with dots may make two tables share one file, and
 * only the last would remain. 1.x replaces such names by `mydumper_N`.
 */
export function unsupportedNames(
  generation: Generation,
  contents: Contents,
  vendor: 'mariadb' | 'mysql' = 'mariadb',
): string[] {
  const unquoted = [...directoryNames(contents), ...endingInBackslash(contents)];
  if (generation === 'modern') return [...unquoted, ...modernNames(contents)];
  const problems = [
    ...badDatabases(contents),
    ...(vendor === 'mysql' ? databasesThatMysqlDoesNotFind(contents) : []),
    ...badObjects(contents),
    ...sharedFiles(contents),
  ];
  return [...unquoted, ...[...new Set(problems)].map((line) => `mydumper 0.10 would lose ${line}`)];
}

function directoryNames({ databases }: Contents): string[] {
  return databases
    .filter((name) => name.startsWith(FOREIGN_DIRECTORY))
    .map(
      (name) =>
        `${shownDatabase(name)}: no server can create a database of this name; rename it by ` +
        'ALTER DATABASE ... UPGRADE DATA DIRECTORY NAME, or remove its directory',
    );
}

/**
 * Both generations write names between single quotes as they are. A backslash at the end escapes
 * the closing quote.
 */
function endingInBackslash({ databases, tables, views }: Contents): string[] {
  return [
    ...databases.filter(endsInBackslash).map(shownDatabase),
    ...[...tables, ...views].filter(({ table }) => endsInBackslash(table)).map(shown),
  ].map((label) => `${label}: mydumper cannot dump names that end in \\`);
}

function endsInBackslash(name: string): boolean {
  return (/\\*$/.exec(name)?.[0].length ?? 0) % 2 === 1;
}

/** 1.x uses such names for files as they are, unless they begin with its own `mydumper_`. */
const PLAIN = /^(?!mydumper_)[\w\- ]+$/;

/**
 * Names that mydumper 1.x cannot dump, or whose files do not show their database. 1.x writes names
 * into statements between single quotes without escaping them. It takes a name of several lines for
 * plain when one line is plain.
 */
function modernNames({ databases, tables, views, triggered }: Contents): string[] {
  const objects = [...tables, ...views];
  const named = [
    ...databases.map((name) => ({ name, label: shownDatabase(name) })),
    ...objects.map((object) => ({ name: object.table, label: shown(object) })),
  ];
  return [
    ...named
      .filter(({ name }) => name.includes("'"))
      .map(({ label }) => `${label}: mydumper 1.x cannot dump names with '`),
    ...databases
      .filter((name) => !name.includes("'") && !PLAIN.test(name))
      .map(
        (name) =>
          `${shownDatabase(name)}: mydumper 1.x would call its files mydumper_N; ` +
          'only letters of ASCII, digits, _, - and blanks can be in the name of a database, ' +
          'and it must not begin with mydumper_',
      ),
    ...databases
      .filter((name) => PLAIN.test(name) && name.includes('-schema'))
      .map(
        (name) => `${shownDatabase(name)}: myloader 1.x takes its files for those of another one`,
      ),
    ...tables
      .filter(({ table }) => table.includes('`') && !table.includes("'"))
      .map(
        (object) => `${shown(object)}: mydumper 1.x cannot dump names of tables with a backtick`,
      ),
    ...objects
      .filter(
        ({ table }) => table.includes('\n') && /[^\w\- \n]/.test(table) && !table.includes("'"),
      )
      .map((object) => `${shown(object)}: mydumper 1.x would take its name for a path`),
    ...triggered
      .filter(({ table }) => table.includes('\\') && !/['`]/.test(table))
      .map(
        (object) =>
          `${shown(object)}: mydumper 1.x would leave its triggers out, because of the name`,
      ),
  ];
}

/**
 * Names that neither generation may dump, one line each. mydumper logs names as they are, even with
 * line ends. A name that reads as released locks would let the watching thread pause the dump while
 * it holds them.
 */
export function misleadingNames({ databases, tables, views }: Contents): string[] {
  const shownNames = [
    ...databases.map((name) => ({ name, label: shownDatabase(name) })),
    ...[...tables, ...views].map((object) => ({ name: object.table, label: shown(object) })),
  ];
  return shownNames
    .filter(({ name }) => LOCKS_RELEASED_TEXTS.some((text) => name.includes(text)))
    .map(({ label }) => `${label}: in mydumper's log its name reads as if locks were released`);
}

function badDatabases({ databases, programmed }: Contents): string[] {
  return databases.flatMap((database) => {
    const character = /[/`']/.exec(database)?.[0];
    if (character !== undefined)
      return [`${shownDatabase(database)}: it cannot dump names with ${character}`];
    if (database.includes('.'))
      return [
        `${shownDatabase(database)}: myloader takes what is before the dot for the whole name`,
      ];
    if (database.includes('\\') && programmed.includes(database))
      return [`${shownDatabase(database)}: its routines would be left out, because of the \\`];
    return [];
  });
}

/**
 * 0.10 selects a database under `SET NAMES binary`. MySQL then reads each byte of the name as a
 * letter.
 */
function databasesThatMysqlDoesNotFind({ databases }: Contents): string[] {
  return databases
    .filter((name) => /\P{ASCII}/u.test(name))
    .map(
      (name) =>
        `${shownDatabase(name)}: on MySQL it cannot dump databases with other letters than ASCII's`,
    );
}

function badObjects(contents: Contents): string[] {
  const { tables, views, triggered } = contents;
  const ofObject = (object: DatabaseObject, forbidden: RegExp): string[] => {
    const character = forbidden.exec(object.table)?.[0];
    if (character !== undefined)
      return [`${shown(object)}: it cannot dump names with ${character}`];
    return [];
  };
  return [
    ...views.flatMap((view) => ofObject(view, /[/`]/)),
    ...tables.flatMap((table) => ofObject(table, /[/`']/)),
    ...tables
      .filter(({ table }) => TAKEN_FOR_SCHEMA.test(table))
      .map(
        (table) =>
          `${shown(table)}: myloader takes its rows for something else, because of -schema`,
      ),
    ...tables.flatMap((table) => triggersInTheWay(table, triggered)),
  ];
}

/** 0.10 reads a table's triggers by `SHOW TRIGGERS LIKE`, with the name as the pattern. */
function triggersInTheWay(table: DatabaseObject, triggered: readonly DatabaseObject[]): string[] {
  if (!/[\\%_]/.test(table.table)) return [];
  const pattern = likePattern(table.table);
  const matching = triggered.filter(
    (other) => other.database === table.database && pattern.test(other.table),
  );
  const own = triggered.some((other) => isSame(other, table));
  const other = matching.find((candidate) => !isSame(candidate, table));
  if (own && !matching.some((candidate) => isSame(candidate, table)))
    return [`${shown(table)}: its triggers would be left out, because of the \\`];
  if (other !== undefined)
    return [
      `${shown(table)}: the triggers of ${shown(other)} would be dumped twice, as LIKE finds both`,
    ];
  return [];
}

function sharedFiles({ databases, tables, views, triggered }: Contents): string[] {
  const problems: string[] = [];
  const owners = new Map<string, string>();
  const claim = (stem: string, owner: string) => {
    const other = owners.get(stem);
    if (other !== undefined && other !== owner)
      problems.push(`${owner}: shares the file name ${stem}.sql with ${other}`);
    owners.set(stem, owner);
    if (Buffer.byteLength(`${stem}.sql`) > LONGEST_FILE_NAME_BYTES)
      problems.push(`${owner}: its name is too long for a file`);
  };

  for (const database of databases) {
    for (const suffix of ['-schema-create', '-schema-post'])
      claim(`${database}${suffix}`, shownDatabase(database));
  }
  for (const view of views) {
    for (const suffix of ['-schema', '-schema-view'])
      claim(`${stemOf(view)}${suffix}`, shown(view));
  }
  for (const table of tables) {
    for (const suffix of ['', CHUNK, '-schema']) claim(`${stemOf(table)}${suffix}`, shown(table));
  }
  for (const table of triggered) claim(`${stemOf(table)}-schema-triggers`, shown(table));

  const stems = new Map(tables.map((table) => [stemOf(table), table]));
  for (const [stem, table] of stems) {
    const base = stems.get(/^(.*)\.\d{5,}$/s.exec(stem)?.[1] ?? '');
    if (base !== undefined)
      problems.push(`${shown(table)}: its file name is that of a part of ${shown(base)}`);
  }
  return problems;
}

function stemOf({ database, table }: DatabaseObject): string {
  return `${database}.${table}`;
}

function isSame(left: DatabaseObject, right: DatabaseObject): boolean {
  return left.database === right.database && left.table === right.table;
}

function shown(object: DatabaseObject): string {
  return `table ${JSON.stringify(stemOf(object))}`;
}

function shownDatabase(database: string): string {
  return `database ${JSON.stringify(database)}`;
}
