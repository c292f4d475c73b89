import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import type { ManifestFile } from '../../../app/manifest/schema.ts';
import type { MariaDb } from './harness.ts';
import { quoteName } from './sql.ts';

/** Kinds of files in the order in which nothing needs what comes later. */
const ORDER: readonly (readonly [ManifestFile['kind'], name: RegExp])[] = [
  ['schema', /-schema-create\.sql$/],
  ['schema', /-schema-sequence\.sql$/],
  ['schema', /-schema\.sql$/],
  ['data', /./],
  ['post', /./],
  ['view', /./],
  ['triggers', /./],
];

/**
 * Loads a dump without any loader: the server gets the files as they are. So it shows what the dump holds, whatever myloader
 * makes of it.
 *
 * @throws the server's error, with the file's name.
 */
export async function loadAsSql(db: MariaDb, directory: string, files: readonly DumpFile[]): Promise<void> {
  for (const [kind, pattern] of ORDER) {
    for (const file of files) {
      if (file.kind === kind && pattern.test(file.name)) await loadFile(db, directory, file);
    }
  }
}

type DumpFile = Pick<ManifestFile, 'name' | 'kind' | 'database'>;

async function loadFile(db: MariaDb, directory: string, { name, kind, database }: DumpFile): Promise<void> {
  // In this character set a string of latin1 is sent byte for byte, whatever the file sets meanwhile.
  const connection = await db.connect({
    multipleStatements: true,
    charset: 'BINARY',
    flags: ['-IGNORE_SPACE', '-SESSION_TRACK'],
  });
  try {
    await prepare(connection, kind);
    if (database !== null && !name.endsWith('-schema-create.sql'))
      await connection.query(bytesOf(`USE ${quoteName(database)}`));
    const text = readFileSync(join(directory, name), 'latin1');
    // MySQL takes a semicolon behind the last word of a program for a part of it, so these go one by one.
    const statements = kind === 'data' || kind === 'schema' ? [text] : text.split(/;\n/);
    for (const statement of statements) if (statement.trim() !== '') await connection.query(statement);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${reason}`, { cause: error });
  } finally {
    connection.destroy();
  }
}

/** As every loader does it: keys are checked when all is there, and rows keep their number 0. */
async function prepare(connection: Connection, kind: ManifestFile['kind']): Promise<void> {
  await connection.query("SET SESSION foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00'");
  if (kind === 'schema' || kind === 'data')
    await connection.query("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}
