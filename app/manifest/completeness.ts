import { type MetadataTables, nameInMetadata } from '../mydumper/metadata-tables.ts';

/** The objects in the server that a dump must contain. */
export type Contents = {
  readonly databases: readonly string[];
  readonly tables: readonly (DatabaseObject & { readonly engine: string })[];
  readonly views: readonly DatabaseObject[];
  /** Tables that have triggers. */
  readonly triggered: readonly DatabaseObject[];
  /** Databases with routines or events. */
  readonly programmed: readonly string[];
};

/** Engines in which an unfinished transaction leaves nothing; in lower case. */
export const TRANSACTIONAL_ENGINES: ReadonlySet<string> = new Set(['innodb', 'rocksdb', 'tokudb']);

/** `engine` in lower case, as in {@link Contents}. */
export function isTransactional(engine: string): boolean {
  return TRANSACTIONAL_ENGINES.has(engine);
}

/**
 * Whether any table has an engine without transactions. The rows of such a table are consistent
 * only under a lock.
 */
export function hasNonTransactionalTables({ tables }: Pick<Contents, 'tables'>): boolean {
  return tables.some(({ engine }) => !isTransactional(engine));
}

export type DatabaseObject = { readonly database: string; readonly table: string };

export type Missing = { readonly description: string; readonly fileName: string };

/** A MERGE table shows the rows of other tables. mydumper dumps only its definition. */
const ROWS_ELSEWHERE = 'mrg_myisam';

/** How a generation of mydumper names an object's files and shows that a table has no rows. */
export type DumpLayout = {
  /** The start of an object's file names. Undefined when the dump does not mention the object. */
  readonly stemOf: (object: DatabaseObject) => string | undefined;
  readonly isEmpty: (stem: string) => boolean;
  /** The part after the stem in the name of a data file, before `.sql`. */
  readonly chunk: RegExp;
};

/** 0.10 uses names as they are, and logs the empty tables. */
export function classicLayout(emptyTables: ReadonlySet<string>): DumpLayout {
  return {
    stemOf: ({ database, table }) => `${database}.${table}`,
    isEmpty: (stem) => emptyTables.has(asLogged(stem)),
    chunk: /\.\d{5,}$/,
  };
}

/**
 * 1.x replaces odd names by `mydumper_N`. Its metadata has a section for each dumped table and
 * view.
 */
export function modernLayout({ realNames, rows }: MetadataTables): DumpLayout {
  const stems = new Map<string, string>();
  for (const [stem, realName] of realNames) {
    // Databases have no dots in their file names (see naming.ts).
    const database = stem.slice(0, stem.indexOf('.'));
    stems.set(keyOf({ database, table: realName }), stem);
  }
  return {
    stemOf: ({ database, table }) => stems.get(keyOf({ database, table: nameInMetadata(table) })),
    isEmpty: (stem) => rows.get(stem) === 0,
    chunk: /(?:\.\d{5,}){1,2}$/,
  };
}

/**
 * Objects of the server that the dump misses: both generations have left tables out and exited with
 * 0. Each object has a file of its own. A table without a data file must be one that mydumper
 * reports as empty.
 */
export function missingFromDump(
  contents: Contents,
  fileNames: readonly string[],
  layout: DumpLayout,
): Missing[] {
  const files = new Set(fileNames);
  const stems = new Set(contents.tables.map((table) => layout.stemOf(table) ?? ''));
  const data = new Set(
    fileNames
      .filter((name) => name.endsWith('.sql'))
      .map((name) => stemOfData(name, stems, layout.chunk)),
  );
  const missing: Missing[] = [];
  const expect = (description: string, ...fileNames: [string, ...string[]]) => {
    if (!fileNames.some((name) => files.has(name)))
      missing.push({ description, fileName: fileNames[0] });
  };
  const stemOr = (object: DatabaseObject) => layout.stemOf(object) ?? nameOf(object);

  for (const database of contents.databases)
    expect(`database ${quoted(database)}`, `${database}-schema-create.sql`);
  for (const table of contents.tables) {
    const stem = stemOr(table);
    const name = quoted(nameOf(table));
    expect(`definition of table ${name}`, `${stem}-schema.sql`, `${stem}-schema-sequence.sql`);
    if (!data.has(stem) && !layout.isEmpty(stem) && table.engine !== ROWS_ELSEWHERE)
      missing.push({ description: `rows of table ${name}`, fileName: `${stem}.sql` });
  }
  for (const view of contents.views)
    expect(`view ${quoted(nameOf(view))}`, `${stemOr(view)}-schema-view.sql`);
  for (const table of contents.triggered)
    expect(`triggers of ${quoted(nameOf(table))}`, `${stemOr(table)}-schema-triggers.sql`);
  for (const database of contents.programmed)
    expect(`routines and events of ${quoted(database)}`, `${database}-schema-post.sql`);
  return missing;
}

/** `db.t.00001.sql` and so on hold the data of `db.t`, unless a table `t.00001` exists. */
function stemOfData(fileName: string, known: ReadonlySet<string>, chunk: RegExp): string {
  const stem = fileName.replace(/\.sql$/, '');
  return known.has(stem) ? stem : stem.replace(chunk, '');
}

function nameOf({ database, table }: DatabaseObject): string {
  return `${database}.${table}`;
}

function keyOf({ database, table }: DatabaseObject): string {
  return JSON.stringify([database, table]);
}

/** The objects that existed before and after the dump. Others were created or dropped meanwhile. */
export function inBoth(before: Contents, after: Contents): Contents {
  const objects = <T extends DatabaseObject>(
    left: readonly T[],
    right: readonly DatabaseObject[],
  ): T[] => {
    const there = new Set(right.map(keyOf));
    return left.filter((object) => there.has(keyOf(object)));
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

/** The log reader works by lines, so it knows only the first line of a name with line ends. */
function asLogged(name: string): string {
  return name.split(/[\r\n\u2028\u2029]/, 1)[0] ?? name;
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
