import type { Contents } from '../manifest/completeness.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Row } from './connection.ts';
import { type Ask, type DumpedBy, group, type Losses, withoutViews } from './loss-lines.ts';
import { inDatabases } from './schema-filter.ts';

/** Columns, and values of them, that mydumper does not keep. */
export async function columnLosses(
  ask: Ask,
  { generation }: DumpedBy,
  contents: Contents,
): Promise<Losses> {
  const { databases } = contents;
  const columns = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col,
       LOWER(DATA_TYPE) AS type, UPPER(EXTRA) AS extra
     FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}
       AND (EXTRA LIKE '%GENERATED%' OR EXTRA LIKE '%INVISIBLE%' OR COLUMN_NAME LIKE '%\`%'
         OR DATA_TYPE IN ('float', 'uuid', 'inet6', 'inet4'))`,
  );
  const generatedOnly = await ask(
    `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.COLUMNS
     WHERE ${inDatabases('TABLE_SCHEMA', databases)}
     GROUP BY BINARY TABLE_SCHEMA, BINARY TABLE_NAME
     HAVING MIN(COALESCE(GENERATION_EXPRESSION, '') <> '') = 1`,
  );
  const ofTables = withoutViews(columns, contents);
  return {
    refusals: [
      ...columnRefusals(columns, ofTables, generation),
      ...group(
        withoutViews(generatedOnly, contents),
        (names) => `mydumper cannot dump tables whose columns are all generated: ${names}`,
      ),
    ],
    warnings: valueWarnings(ofTables),
  };
}

function columnRefusals(
  columns: readonly Row[],
  ofTables: readonly Row[],
  generation: Generation,
): string[] {
  const extra = (pattern: RegExp) => ofTables.filter((row) => pattern.test(String(row.extra)));
  const unloadable = group(
    columns.filter((row) => String(row.col).includes('`')),
    (names) => `mydumper writes column names with a backtick so that they do not load: ${names}`,
  );
  if (generation === 'modern') return unloadable;
  return [
    ...unloadable,
    ...group(extra(/INVISIBLE/), (names) => `mydumper 0.10 leaves invisible columns out: ${names}`),
    ...group(
      extra(/DEFAULT_GENERATED/),
      (names) => `mydumper 0.10 leaves columns out whose default is an expression: ${names}`,
    ),
    ...group(
      extra(/GENERATED/).filter((row) => `${row.db}.${row.name}`.includes('\\')),
      (names) =>
        'mydumper 0.10 does not see generated columns where a table or database has \\ in its ' +
        `name: ${names}`,
    ),
  ];
}

function valueWarnings(columns: readonly Row[]): string[] {
  const ofType = (pattern: RegExp) => columns.filter((row) => pattern.test(String(row.type)));
  return [
    ...group(ofType(/^float$/), (names) => `FLOAT values are dumped with 6 digits: ${names}`),
    ...group(
      ofType(/^(?:uuid|inet[46])$/),
      (names) =>
        `UUID, INET6 and INET4 values do not survive plain myloader (restore keeps them): ${names}`,
    ),
  ];
}
