/** What is in the server, as far as each of it must be in a dump of it. */
export type Contents = {
  readonly databases: readonly string[];
  readonly tables: readonly (DatabaseObject & { readonly engine: string })[];
  readonly views: readonly DatabaseObject[];
  /** Tables that have triggers. */
  readonly triggered: readonly DatabaseObject[];
  /** Databases with routines or events. */
  readonly programmed: readonly string[];
};

export type DatabaseObject = { readonly database: string; readonly table: string };

export type Missing = { readonly description: string; readonly fileName: string };

/** A MERGE table shows the rows of other tables; mydumper dumps its definition only. */
const ROWS_ELSEWHERE = 'mrg_myisam';

/**
 * What is in the server and not in a dump by mydumper 0.10, which has been seen to leave tables out and exit 0. Each
 * object has a file of its own; a table without a data file must be one that mydumper called empty.
 */
export function missingFromDump(
  contents: Contents,
  fileNames: readonly string[],
  emptyTables: ReadonlySet<string>,
): Missing[] {
  const files = new Set(fileNames);
  const known = new Set(contents.tables.map(({ database, table }) => `${database}.${table}`));
  const data = new Set(
    fileNames.filter((name) => name.endsWith('.sql')).map((name) => tableOfData(name, known)),
  );
  const missing: Missing[] = [];
  const expect = (fileName: string, description: string) => {
    if (!files.has(fileName)) missing.push({ description, fileName });
  };

  for (const database of contents.databases)
    expect(`${database}-schema-create.sql`, `database ${quoted(database)}`);
  for (const { database, table, engine } of contents.tables) {
    const name = `${database}.${table}`;
    expect(`${name}-schema.sql`, `definition of table ${quoted(name)}`);
    if (!data.has(name) && !emptyTables.has(asLogged(name)) && engine !== ROWS_ELSEWHERE) {
      missing.push({ description: `rows of table ${quoted(name)}`, fileName: `${name}.sql` });
    }
  }
  for (const { database, table } of contents.views) {
    expect(`${database}.${table}-schema-view.sql`, `view ${quoted(`${database}.${table}`)}`);
  }
  for (const { database, table } of contents.triggered) {
    expect(`${database}.${table}-schema-triggers.sql`, `triggers of ${quoted(`${database}.${table}`)}`);
  }
  for (const database of contents.programmed) {
    expect(`${database}-schema-post.sql`, `routines and events of ${quoted(database)}`);
  }
  return missing;
}

/** `db.t.00001.sql` and so on are the data of `db.t`, unless there is a table `t.00001`. */
function tableOfData(fileName: string, known: ReadonlySet<string>): string {
  const stem = fileName.replace(/\.sql$/, '');
  return known.has(stem) ? stem : stem.replace(/\.\d{5,}$/, '');
}

/** Only what was there before the dump and still is after it: the rest was created or dropped meanwhile. */
export function inBoth(before: Contents, after: Contents): Contents {
  const key = ({ database, table }: DatabaseObject) => JSON.stringify([database, table]);
  const objects = <T extends DatabaseObject>(left: readonly T[], right: readonly DatabaseObject[]): T[] => {
    const there = new Set(right.map(key));
    return left.filter((object) => there.has(key(object)));
  };
  const names = (left: readonly string[], right: readonly string[]) =>
    left.filter((name) => right.includes(name));
  return {
    databases: names(before.databases, after.databases),
    tables: objects(before.tables, after.tables),
    views: objects(before.views, after.views),
    triggered: objects(before.triggered, after.triggered),
    programmed: names(before.programmed, after.programmed),
  };
}

/** The log is read by lines, so of a name with line ends in it only the first line is known. */
function asLogged(name: string): string {
  return name.split(/[\r\n\u2028\u2029]/, 1)[0] ?? name;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
