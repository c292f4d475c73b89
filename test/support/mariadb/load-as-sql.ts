import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Connection } from 'mysql2/promise';
import type { Manifest, ManifestFile, ManifestProgram } from '../../../app/manifest/schema.ts';
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
 * Loads a backup without any loader: the server gets the files as they are, and each program the
 * SQL mode and time zone that the manifest tells. So it shows what the backup holds, whatever
 * myloader makes of it.
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
  // In this character set a string of latin1 is sent byte for byte, whatever the file sets
  // meanwhile.
  const connection = await db.connect({
    multipleStatements: true,
    charset: 'BINARY',
    flags: ['-IGNORE_SPACE', '-SESSION_TRACK'],
  });
  try {
    // As every loader does it: keys are checked when all is there, and rows keep their number 0.
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
 * Statement by statement: MySQL takes a semicolon behind the last word of a program for a part of
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
 * Whether the statement creates this program. Its name is quoted as its own SQL mode has it, and
 * MariaDB keeps the name of the database before it where the statement of its creation had one.
 */
function isCreated(statement: string, { kind, database, name }: ManifestProgram): boolean {
  const quotes = [
    (text: string) => quoteName(text),
    (text: string) => `"${text.replaceAll('"', '""')}"`,
  ];
  const databases = [
    '',
    ...[...quotes.map((quote) => quote(database)), database].map((word) => `${word}.`),
  ];
  const words = databases.flatMap((before) =>
    quotes.map((quote) => `${kind} ${bytesOf(`${before}${quote(name)}`)}`.toLowerCase()),
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
