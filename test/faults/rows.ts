import { createHash, type Hash } from 'node:crypto';
import { createReadStream, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { dumpWithMydumper } from '../support/mariadb/tools.ts';

/** What tables hold: by name, how many rows and a digest of all of them in order. */
export type Rows = Readonly<Record<string, { readonly rows: number; readonly digest: string }>>;

/** `bulk.orders.00003.sql` and `bulk.orders.sql` are both of the table `bulk.orders`. */
const DATA_FILE = /^(.+?)(?:\.\d{5})?\.sql$/;
/** 0.10 writes a row a line, the first of a statement after its head. */
const ROW = /^(?:INSERT INTO .*? VALUES *|,)?(\(.*\))[,;]?$/;

/** Reads the rows of a dump of mydumper 0.10. */
export async function rowsOfDump(directory: string): Promise<Rows> {
  const tables = new Map<string, { rows: number; hash: Hash }>();
  for (const name of readdirSync(directory).toSorted()) {
    const table = /-(?:schema|schema-\w+)\.sql$/.test(name) ? undefined : DATA_FILE.exec(name)?.[1];
    if (table === undefined) continue;
    const found = tables.get(table) ?? { rows: 0, hash: createHash('sha256') };
    tables.set(table, found);
    const input = createReadStream(join(directory, name), 'latin1');
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const row = ROW.exec(line)?.[1];
      if (row === undefined) continue;
      found.rows += 1;
      found.hash.update(`${row}\n`);
    }
  }
  return Object.fromEntries(
    [...tables].map(([table, { rows, hash }]) => [table, { rows, digest: hash.digest('hex') }]),
  );
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
