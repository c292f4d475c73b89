import type { Contents } from '../manifest/completeness.ts';
import type { Row } from './connection.ts';
import { type Ask, type DumpedBy, group, type Losses, withoutViews } from './loss-lines.ts';
import { inDatabases } from './schema-filter.ts';

const LEGACY = "CHARACTER_SET_NAME NOT IN ('utf8mb4', 'utf8mb3', 'utf8')";

/** Letters outside ASCII in definitions of tables that have columns of legacy character sets. */
export async function letterLosses(
  ask: Ask,
  { generation, vendor }: DumpedBy,
  contents: Contents,
): Promise<Losses> {
  const columns = (condition: string) =>
    ask(
      `SELECT TABLE_SCHEMA AS db, TABLE_NAME AS name, COLUMN_NAME AS col
       FROM information_schema.COLUMNS
       WHERE ${inDatabases('TABLE_SCHEMA', contents.databases)} AND ${condition}`,
    );
  if (generation === 'modern' && vendor === 'mariadb') return { refusals: [], warnings: [] };
  const literals = await columns(
    `${LEGACY} AND (${isBeyondAscii('COLUMN_DEFAULT')}
       OR (DATA_TYPE IN ('enum', 'set') AND ${isBeyondAscii('COLUMN_TYPE')}))`,
  );
  const key = ({ db, name }: Row) => JSON.stringify([db, name]);
  const legacy = new Set(withoutViews(await columns(LEGACY), contents).map(key));
  const inLegacy = (row: Row) => legacy.has(key(row));
  const partitions = await ask(
    `SELECT DISTINCT TABLE_SCHEMA AS db, TABLE_NAME AS name FROM information_schema.PARTITIONS
     WHERE ${inDatabases('TABLE_SCHEMA', contents.databases)}
       AND ${isBeyondAscii('PARTITION_DESCRIPTION')}`,
  );
  const refusals = partitionRefusals(partitions.filter(inLegacy), generation);
  if (generation === 'classic')
    return { refusals, warnings: literalWarnings(withoutViews(literals, contents)) };
  const expressions = await columns(isBeyondAscii('GENERATION_EXPRESSION'));
  return { refusals, warnings: expressionWarnings(expressions.filter(inLegacy)) };
}

function isBeyondAscii(column: string): string {
  return `LENGTH(${column}) <> CHAR_LENGTH(${column})`;
}

/**
 * 0.10 writes definitions in UTF-8, but declares them as bytes of the column's character set. MySQL
 * itself shows the values of such partitions in another encoding to a client of UTF-8, as 1.x is.
 */
function partitionRefusals(tables: readonly Row[], generation: DumpedBy['generation']): string[] {
  return group(
    tables,
    (names) =>
      `mydumper ${generation === 'classic' ? '0.10' : '1.x'} writes the partitions of these ` +
      'so that rows do not load, as their values hold letters outside ASCII in a legacy ' +
      `character set; convert the tables to utf8mb4: ${names}`,
  );
}

/** 0.10 writes definitions in UTF-8, but declares them as bytes of the column's character set. */
function literalWarnings(columns: readonly Row[]): string[] {
  return group(
    columns,
    (names) =>
      'mydumper 0.10 writes ENUM members and defaults of these so that they load as other text: ' +
      names,
  );
}

/**
 * MySQL keeps such an expression in the character set of its column. It gives a client of UTF-8,
 * as 1.x is, a `?` for each letter outside ASCII.
 */
function expressionWarnings(columns: readonly Row[]): string[] {
  return group(
    columns,
    (names) =>
      'mydumper 1.x writes ? for letters in the expressions of these generated columns, so ' +
      `their values change when loaded: ${names}`,
  );
}
