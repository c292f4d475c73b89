import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type MariaDb, type MariaDbOptions, startMariaDb } from './harness.ts';
import { quoteName } from './sql.ts';
import { dumpWithMydumper, type ToolOptions } from './tools.ts';

export const DUMP_EVERYTHING = ['-F', '1', '--triggers', '--events', '--routines'];
/** Gone when the running test ends, as is what the others here make. */
export async function server(options: MariaDbOptions = {}): Promise<MariaDb> {
  const db = await startMariaDb(options);
  onTestFinished(() => db.stop());
  return db;
}

export async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'mdb-test-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

export async function userDatabases(db: MariaDb): Promise<string[]> {
  const rows = await db.query(
    'SELECT SCHEMA_NAME n FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ' +
      "('mysql', 'sys', 'information_schema', 'performance_schema') ORDER BY 1",
  );
  return rows.map((row) => String(row.n));
}

export async function dropAll(db: MariaDb): Promise<void> {
  for (const name of await userDatabases(db)) await db.query(`DROP DATABASE ${quoteName(name)}`);
}

/**
 * Dumps each database with a separate run into one directory. With several databases in one run,
 * mydumper 0.10 may begin before it has listed all of them. It then leaves tables out or hangs.
 */
export async function dump(
  db: MariaDb,
  options: ToolOptions,
): Promise<{ path: string; exitCode: number }> {
  const path = await directory();
  let exitCode = 0;
  for (const name of await userDatabases(db)) {
    const args = [`--database=${name}`, ...(options.args ?? [])];
    const result = await dumpWithMydumper(db, path, { ...options, args });
    exitCode ||= result.exitCode;
  }
  return { path, exitCode };
}
