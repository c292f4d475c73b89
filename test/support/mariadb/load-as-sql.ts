import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import type { Manifest, ManifestFile, ManifestProgram } from '../../../app/manifest/schema.ts';
import type { MariaDb } from './harness.ts';
import { quoteName } from './sql.ts';

/** Kinds of files, in an order in which no file needs a later one. */
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
 * Loads a backup without a loader. The server gets the files unchanged, and each program gets its
 * SQL mode and time zone from the manifest. The result shows the backup's contents, regardless of
 * myloader's faults.
 *
 * @throws the server's error, with the file's name.
 */
export async function loadAsSql(
  db: MariaDb,
  directory: string,
  { files, programs }: Pick<Manifest, 'files' | 'programs'>,
): Promise<void> {
  for (const [kind, pattern] of ORDER) {
    for (const file of files) {
      if (file.kind === kind && pattern.test(file.name))
        await loadFile(db, directory, file, programs ?? []);
    }
  }
}

async function loadFile(
  db: MariaDb,
  directory: string,
  { name, kind, database }: ManifestFile,
  programs: readonly ManifestProgram[],
): Promise<void> {
  // In this character set the client sends a latin1 string byte for byte, regardless of the file's
  // own settings.
  const connection = await db.connect({
    multipleStatements: true,
    charset: 'BINARY',
    flags: ['-IGNORE_SPACE', '-SESSION_TRACK'],
  });
  try {
    // As in every loader: keys are checked after the load, and rows keep the number 0.
    await connection.query(
      "SET SESSION foreign_key_checks = 0, unique_checks = 0, time_zone = '+00:00'",
    );
    await connection.query("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO'");
    if (database !== null && !name.endsWith('-schema-create.sql'))
      await connection.query(bytesOf(`USE ${quoteName(database)}`));
    const text = readFileSync(join(directory, name), 'latin1');
    if (kind === 'data' || kind === 'schema') await connection.query(text);
    else
      await loadPrograms(
        connection,
        text,
        programs.filter((program) => program.database === database),
      );
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${name}: ${reason}`, { cause: error });
  } finally {
    connection.destroy();
  }
}

/**
 * Sends one statement at a time: MySQL treats a semicolon after a program's last word as part of
 * it.
 */
async function loadPrograms(
  connection: Connection,
  text: string,
  programs: readonly ManifestProgram[],
): Promise<void> {
  for (const statement of text.split(/;\n/)) {
    if (statement.trim() === '') continue;
    const program = programs.find((one) => isCreated(statement, one));
    if (program !== undefined) {
      await connection.query('SET SESSION sql_mode = ?', [program.sqlMode]);
      if (program.timeZone !== null)
        await connection.query('SET SESSION time_zone = ?', [program.timeZone]);
    }
    await connection.query(statement);
  }
}

/**
 * Whether the statement creates this program. The program's own SQL mode decides how its name is
 * quoted. MariaDB keeps a trigger's name as the original statement had it: after the database's
 * name, or without quotes.
 */
function isCreated(statement: string, { kind, database, name }: ManifestProgram): boolean {
  const quotes = [
    (text: string) => quoteName(text),
    (text: string) => `"${text.replaceAll('"', '""')}"`,
  ];
  const names = [...quotes.map((quote) => quote(name)), `${name} `];
  const databases = [
    '',
    ...[...quotes.map((quote) => quote(database)), database].map((word) => `${word}.`),
  ];
  const words = databases.flatMap((before) =>
    names.map((quoted) => `${kind} ${bytesOf(`${before}${quoted}`)}`.toLowerCase()),
  );
  const head = statement.slice(0, statement.indexOf('\n') + 1 || undefined);
  return (
    /^\s*(?:\/\*!\d+ )?CREATE /i.test(head) &&
    words.some((word) => head.toLowerCase().includes(word))
  );
}

function bytesOf(text: string): string {
  return Buffer.from(text).toString('latin1');
}
