import { createHash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { dumpWithMydumper } from '../support/mariadb/tools.ts';

/**
 * The content of tables by name: the number of rows and a digest of all rows, independent of their
 * order.
 */
export type Rows = Readonly<Record<string, { readonly rows: number; readonly digest: string }>>;

/**
 * `bulk.orders.sql`, `bulk.orders.00003.sql` and 1.x's `bulk.orders.00000.00001.sql` all belong to
 * the table `bulk.orders`.
 */
const DATA_FILE = /^(.+?)(?:\.\d{5}){0,2}\.sql$/;
/** mydumper writes one row per line. The first row of a statement follows its head. */
const ROW = /^(?:INSERT INTO .*? VALUES *|,)?(\(.*\))[,;]?$/;

/** Reads the rows of a dump. */
export async function rowsOfDump(directory: string): Promise<Rows> {
  const tables = new Map<string, string[]>();
  for (const name of readdirSync(directory).toSorted()) {
    const table = /-(?:schema|schema-\w+)\.sql$/.test(name) ? undefined : DATA_FILE.exec(name)?.[1];
    if (table === undefined) continue;
    const rows = tables.get(table) ?? [];
    tables.set(table, rows);
    const input = createReadStream(join(directory, name), 'latin1');
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const row = ROW.exec(line)?.[1];
      if (row !== undefined) rows.push(hash(row));
    }
  }
  return Object.fromEntries(
    [...tables].map(([table, rows]) => [
      table,
      // Threads of 1.x share a table, so the order of its rows differs each time.
      { rows: rows.length, digest: hash(rows.toSorted().join('')) },
    ]),
  );
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What a database holds now, by a dump of plain mydumper that nothing disturbs. */
export async function rowsInServer(db: MariaDb, database: string): Promise<Rows> {
  const directory = await mkdtemp(join(tmpdir(), 'mf-reference-'));
  try {
    const { exitCode, output } = await dumpWithMydumper(db, directory, { args: ['-B', database] });
    if (exitCode !== 0) throw new Error(`the reference dump failed: ${output}`);
    return await rowsOfDump(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
