import type { RestoreConfig } from '../config-reading.ts';
import { Failure } from '../errors.ts';
import type { Manifest, ManifestFile } from '../manifest/schema.ts';
import { SYSTEM_SCHEMAS } from '../mydumper/database-regex.ts';
import { ANY, ONE, wildcardPattern } from '../wildcards.ts';

/**
 * A file of the backup, with the names that it has in the server. 1.x writes `mydumper_N` for an
 * odd name.
 */
export type DumpFile = ManifestFile & { readonly realTable: string | null };

/** What is loaded, in the order it is loaded. */
export type Selection = {
  readonly metadata: ManifestFile;
  /** As they are called in the backup. */
  readonly databases: readonly string[];
  readonly creates: readonly DumpFile[];
  readonly schemas: readonly DumpFile[];
  readonly data: readonly DumpFile[];
  readonly post: readonly DumpFile[];
  readonly views: readonly DumpFile[];
  readonly triggers: readonly DumpFile[];
};

export type SelectionOptions = {
  /** Empty for all. */
  readonly databases: readonly string[];
  readonly tables: readonly string[];
  readonly what: RestoreConfig['what'];
};

/**
 * Selects the part of a backup to load. `realNames` maps `database.table` of the manifest to the
 * table's own name. Pure.
 * @throws Failure `preflight` when a requested object is not in the backup.
 */
export function selectFiles(
  manifest: Manifest,
  options: SelectionOptions,
  realNames: ReadonlyMap<string, string> = new Map(),
): Selection {
  const missing = options.databases.filter((name) => !manifest.databases.includes(name));
  if (missing.length > 0) {
    const there = manifest.databases.map(quoted).join(', ');
    throw new Failure(
      'preflight',
      `DATABASES: ${missing.map(quoted).join(', ')} not in the backup; it holds ${there}`,
    );
  }
  const system = manifest.databases.filter(
    (name) => isSystem(name) && !options.databases.includes(name),
  );
  const metadata = manifest.files.find(({ kind }) => kind === 'metadata');
  if (metadata === undefined) throw new Failure('preflight', 'the backup has no metadata file');
  const files = manifest.files.map((file) => ({
    ...file,
    realTable: realNames.get(`${file.database}.${file.table}`) ?? file.table,
  }));
  const wanted = files.filter(
    ({ database }) =>
      database !== null &&
      !system.includes(database) &&
      (options.databases.length === 0 || options.databases.includes(database)),
  );
  const patterns = options.tables.map(patternOf);
  for (const { source, test } of patterns) {
    if (!wanted.some((file) => file.table !== null && test(file)))
      throw new Failure(
        'preflight',
        `RESTORE_TABLES: no table or view of the backup matches ${quoted(source)}`,
      );
  }
  const chosen =
    patterns.length === 0
      ? wanted
      : wanted.filter((file) => file.table !== null && patterns.some(({ test }) => test(file)));
  const databases = [...new Set(chosen.flatMap(({ database }) => database ?? []))];
  const ofKind = (kind: ManifestFile['kind'], from = chosen) =>
    from.filter((file) => file.kind === kind);
  const none = (list: readonly DumpFile[], leftOut: 'schema' | 'data') =>
    options.what === leftOut ? [] : list;
  const isCreate = ({ table }: DumpFile) => table === null;
  return {
    metadata,
    databases,
    creates: none(
      ofKind('schema', wanted).filter(
        (file) => isCreate(file) && databases.includes(file.database ?? ''),
      ),
      'data',
    ),
    schemas: none(
      ofKind('schema').filter((file) => !isCreate(file)),
      'data',
    ),
    data: none(ofKind('data'), 'schema').map(requireSql),
    post: none(ofKind('post'), 'data'),
    views: none(ofKind('view'), 'data'),
    triggers: none(ofKind('triggers'), 'data'),
  };
}

function requireSql(file: DumpFile): DumpFile {
  if (file.name.endsWith('.sql')) return file;
  throw new Failure(
    'preflight',
    `${file.key}: holds rows for LOAD DATA, which restore does not load; ` +
      'use myloader as the README shows',
  );
}

function isSystem(database: string): boolean {
  return SYSTEM_SCHEMAS.some((name) => name === database.toLowerCase());
}

type Pattern = { readonly source: string; readonly test: (file: DumpFile) => boolean };

/**
 * `*` and `?` as in a shell. A pattern with a dot may be `database.table`, or a table with a dot in
 * its name.
 */
function patternOf(source: string): Pattern {
  const pattern = wildcardPattern(
    Array.from(source, (character) =>
      character === '*' ? ANY : character === '?' ? ONE : character,
    ),
  );
  return {
    source,
    test: ({ database, realTable }) =>
      pattern.test(realTable ?? '') || pattern.test(`${database}.${realTable ?? ''}`),
  };
}

function quoted(name: string): string {
  return JSON.stringify(name);
}
