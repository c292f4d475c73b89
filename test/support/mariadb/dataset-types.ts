import type { Connection } from 'mysql2/promise';
import { tablesOf, type Value } from './dataset-columns.ts';
import type { Random } from './random.ts';
import type { Vendor } from './server-program.ts';
import { quoteName } from './sql.ts';

/** Rows between 10 bytes and 5 MB, so that statements and files end in the middle of nowhere. */
async function createSizes(connection: Connection, random: Random, rows: number): Promise<void> {
  await connection.query(
    'CREATE TABLE `row sizes` (id int PRIMARY KEY, tiny varchar(10), big longblob)',
  );
  for (let id = 1; id <= rows; id++) {
    const size =
      id % 20 === 7 ? 5_000_000 : id % 7 === 3 ? 400_000 + random.int(400_000) : random.int(60);
    await connection.query('INSERT INTO `row sizes` VALUES (?, ?, ?)', [
      id,
      `#${id}`,
      random.bytes(size),
    ]);
  }
}

/**
 * Creates tables with a column of every type whose values survive a dump by mydumper 0.10 and a
 * load by myloader 0.10.
 */
export async function createTypeTables(
  connection: Connection,
  vendor: Vendor,
  random: Random,
  rows: number,
): Promise<void> {
  for (const [name, columns, suffix] of tablesOf(vendor)) {
    const definitions = columns.map(([column, type]) => `${quoteName(column)} ${type}`);
    await connection.query(
      `CREATE TABLE ${quoteName(name)} (\`id\` int NOT NULL AUTO_INCREMENT PRIMARY KEY, ` +
        `${definitions.join(', ')}) ${suffix}`,
    );
    const lines: Value[][] = [];
    for (let row = 0; row < rows; row++) {
      // Row 0 has id 0 (kept only under NO_AUTO_VALUE_ON_ZERO), row 1 nothing but NULLs and
      // defaults.
      lines.push([
        row,
        ...columns.map(([, type, value]) => {
          if (/not null/i.test(type)) return value(random, row);
          return row === 1 || random.int(6) === 0 ? null : value(random, row);
        }),
      ]);
    }
    const names = columns.map(([column]) => quoteName(column));
    await connection.query(`INSERT INTO ${quoteName(name)} (id, ${names.join(', ')}) VALUES ?`, [
      lines,
    ]);
  }
  await createSizes(connection, random, Math.min(60, Math.max(20, Math.floor(rows / 4))));
}
