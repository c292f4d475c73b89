/** What a file of a dump holds, as the manifest names it. */
export type FileKind = 'schema' | 'data' | 'view' | 'triggers' | 'post' | 'metadata' | 'other';

export type DumpFileName = {
  readonly kind: FileKind;
  readonly database: string | undefined;
  readonly table: string | undefined;
};

const UNKNOWN = { database: undefined, table: undefined };

/**
 * Reads a file name as mydumper writes it. A name with several dots (`a.b.c.sql`) is ambiguous, so
 * the databases known from preflight decide where the database ends.
 */
export function classifyFile(name: string, databases: ReadonlySet<string>): DumpFileName {
  if (name === 'metadata' || name === 'metadata.partial') return { kind: 'metadata', ...UNKNOWN };
  const stem = /^(.*)\.(?:sql|dat)$/s.exec(name)?.[1];
  if (stem === undefined) return { kind: 'other', ...UNKNOWN };

  const whole = (suffix: string, kind: FileKind) =>
    stem.endsWith(suffix)
      ? { kind, database: stem.slice(0, -suffix.length), table: undefined }
      : undefined;
  const database = whole('-schema-create', 'schema') ?? whole('-schema-post', 'post');
  if (database !== undefined) return database;
  const triggersOfDatabase = whole('-schema-triggers', 'triggers');
  if (triggersOfDatabase !== undefined && databases.has(triggersOfDatabase.database))
    return triggersOfDatabase;

  for (const [suffix, kind] of TABLE_SUFFIXES) {
    if (stem.endsWith(suffix))
      return { kind, ...splitName(stem.slice(0, -suffix.length), databases) };
  }
  return { kind: 'data', ...splitName(stem.replace(/(?:\.\d{5,}){1,2}$/, ''), databases) };
}

const TABLE_SUFFIXES: readonly (readonly [string, FileKind])[] = [
  ['-schema-view', 'view'],
  ['-schema-triggers', 'triggers'],
  ['-schema-sequence', 'schema'],
  ['-schema', 'schema'],
];

function splitName(
  stem: string,
  databases: ReadonlySet<string>,
): { database: string | undefined; table: string | undefined } {
  let best: string | undefined;
  for (let dot = stem.indexOf('.'); dot !== -1; dot = stem.indexOf('.', dot + 1)) {
    const candidate = stem.slice(0, dot);
    if (best === undefined || databases.has(candidate)) best = candidate;
  }
  if (best === undefined) return { database: undefined, table: stem };
  return { database: best, table: stem.slice(best.length + 1) };
}
