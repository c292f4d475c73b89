import type { Connection } from 'mysql2/promise';
import type { Row } from './harness.ts';
import { quoteName } from './sql.ts';

/** What is known of one object: its facts by name, all as text. */
export type Facts = Readonly<Record<string, string>>;

export async function rowsOf(
  connection: Connection,
  sql: string,
  values: readonly string[] = [],
): Promise<Row[]> {
  const [rows] = await connection.query<Row[]>(sql, [...values]);
  return rows;
}

export function text(value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  return Buffer.isBuffer(value) ? value.toString('utf8') : String(value);
}

/**
 * An expression over one column that differs whenever the stored value does, and never contains a
 * comma.
 */
function columnDigest(name: string, type: string): string {
  const column = quoteName(name);
  switch (type) {
    case 'tinyint':
    case 'smallint':
    case 'mediumint':
    case 'int':
    case 'bigint':
    case 'decimal':
    case 'double':
    case 'year':
    case 'date':
    case 'datetime':
    case 'timestamp':
    case 'time':
      return `IFNULL(CONCAT(${column}), 'N')`;
    case 'float':
      // As text a FLOAT shows six digits only; the sum is a DOUBLE and shows all of them.
      return `IFNULL(CONCAT(${column} + 0e0), 'N')`;
    case 'bit':
      return `IFNULL(HEX(${column}), 'N')`;
    case 'enum':
    case 'set':
      // The invalid value '' (number 0) and a member named '' look the same as text.
      return `IFNULL(CONCAT(${column} + 0, ':', SHA2(${column}, 224)), 'N')`;
    case 'inet4':
    case 'inet6':
    case 'uuid':
      return `IFNULL(CONCAT(${column}), 'N')`;
    default:
      return `IFNULL(SHA2(${column}, 224), 'N')`;
  }
}

/** A table's definition, its number of rows and a digest of every value. */
export async function describeTable(
  connection: Connection,
  database: string,
  table: string,
): Promise<Facts> {
  const name = quoteName(database, table);
  const create = text((await rowsOf(connection, `SHOW CREATE TABLE ${name}`))[0]?.['Create Table']);
  // Every column: SELECT * would leave out the invisible ones.
  const columns = await rowsOf(
    connection,
    'SELECT COLUMN_NAME c, DATA_TYPE t FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ? ' +
      'AND TABLE_NAME = ? ORDER BY ORDINAL_POSITION',
    [database, table],
  );
  const digests = columns.map((column) =>
    columnDigest(text(column.c), text(column.t).toLowerCase()),
  );
  const half = (from: number): string =>
    `SUM(CAST(CONV(SUBSTR(m, ${from}, 15), 16, 10) AS DECIMAL(30)))`;
  const data = await rowsOf(
    connection,
    `SELECT COUNT(*) r, CONCAT_WS('/', ${half(1)}, ${half(16)}) d ` +
      `FROM (SELECT SHA2(CONCAT_WS(',', ${digests.join(', ')}), 224) m FROM ${name}) q`,
  );
  const versioned = /WITH(OUT)? SYSTEM VERSIONING/i.test(create);
  const history = versioned
    ? await rowsOf(connection, `SELECT COUNT(*) h FROM ${name} FOR SYSTEM_TIME ALL`)
    : [];
  return {
    create,
    rows: text(data[0]?.r),
    digest: text(data[0]?.d),
    ...(versioned ? { 'rows with history': text(history[0]?.h) } : {}),
  };
}
