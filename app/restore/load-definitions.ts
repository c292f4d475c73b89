import type { Reading } from '../commands/reading.ts';
import { type Database, openDatabase } from '../database/connection.ts';
import { Failure, messageOf } from '../errors.ts';
import { ForeignDefinition, readDefinitionFile } from './definition-files.ts';
import { readDefinitions } from './definitions.ts';
import { beginLoadSession } from './load-session.ts';
import { type RestorePlan, readBytes } from './open.ts';
import { beginProgram, recordedProgram } from './program-session.ts';
import type { DumpFile } from './selection.ts';
import { databaseIn, quoteName, type Target } from './target.ts';
import { UnclearTrigger } from './trigger-names.ts';

/** Before each file. Each file sets what it needs beside it. */
const BASE = ['SET NAMES utf8mb4', 'SET SESSION foreign_key_checks = 0, unique_checks = 0'];
/**
 * Tables and views mean the same in every server then; ORACLE makes DATE a DATETIME, for example.
 * Programs of backups that did not record their mode get the server's own.
 */
const MODES = { table: "'NO_ENGINE_SUBSTITUTION'", program: '@@GLOBAL.sql_mode' } as const;

/** 0.10 says so in its files of tables, which it writes in UTF-8. */
const NAMES_BINARY = /^\/\*!\d+ SET NAMES binary\s*\*\/$/i;

/**
 * Creates the objects of files that hold no rows, file by file, over a connection of its own.
 * @throws Failure `restore` that names the file and the server's reason.
 */
export async function loadDefinitions(
  reading: Reading,
  plan: RestorePlan,
  target: Target,
  files: readonly DumpFile[],
): Promise<void> {
  if (files.length === 0) return;
  const database = await openDatabase(reading.config.server);
  // The next statement reports the loss.
  database.onLost(() => {});
  try {
    await beginLoadSession(database);
    await loadAll(database, reading, plan, target, files);
  } finally {
    await database.close();
  }
}

async function loadAll(
  database: Database,
  { store, work, interruption }: Reading,
  { manifest }: RestorePlan,
  target: Target,
  files: readonly DumpFile[],
): Promise<void> {
  const isUtf8 = /^0\./.test(manifest.mydumper.version);
  const inUtc = !manifest.mydumper.arguments.includes('--skip-tz-utc');
  const base = [...BASE, `SET SESSION time_zone = ${inUtc ? "'+00:00'" : '@@GLOBAL.time_zone'}`];

  /** The file's own settings stay, but for the mode and the time zone that the backup recorded. */
  const prepare = async ({ key, database: db }: DumpFile, statement: string) => {
    const [definition] = readDefinitions(Buffer.from(statement, 'latin1').toString('utf8'));
    if (definition === undefined || manifest.programs === null) return;
    const program = recordedProgram(manifest.programs, db, definition);
    if (program === undefined) {
      await database.query(`SET SESSION sql_mode = ${MODES.program}`);
      return;
    }
    const unknown = await beginProgram(database, program);
    if (unknown.length === 0) return;
    const what = `${program.kind} ${JSON.stringify(program.name)}`;
    work.emit('warning', {
      message: `${key}: the server does not know SQL modes of ${what}: ${unknown.join(', ')}`,
    });
  };

  const loadFile = async (file: DumpFile) => {
    const text = (await readBytes(store, file, manifest)).toString('latin1');
    const statements = understood(file, () =>
      readDefinitionFile(text, file, target.as !== undefined),
    ).filter((statement) => !(isUtf8 && file.kind === 'schema' && NAMES_BINARY.test(statement)));
    const holds = file.kind === 'post' || file.kind === 'triggers' ? 'program' : 'table';
    for (const setting of [...base, `SET SESSION sql_mode = ${MODES[holds]}`])
      await database.query(setting);
    await database.query(`USE ${quoteName(databaseIn(target, file.database))}`);
    interruption.throwIfAborted();
    for (const statement of statements) {
      if (holds === 'program' && /^CREATE\b/i.test(statement)) await prepare(file, statement);
      await send(database, file, statement);
    }
  };

  for (const file of files) await loadFile(file);
}

async function send(database: Database, { key }: DumpFile, statement: string): Promise<void> {
  try {
    await database.longSend([Buffer.from(statement, 'latin1')]);
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (typeof code !== 'string' || !code.startsWith('ER_')) throw error;
    throw new Failure(
      'restore',
      `${key}: the MySQL server refused a definition: ${messageOf(error)} (${code})`,
      { cause: error },
    );
  }
}

function understood(file: DumpFile, read: () => string[]): string[] {
  try {
    return read();
  } catch (error) {
    if (error instanceof ForeignDefinition || error instanceof UnclearTrigger)
      throw new Failure('restore', `${file.key}: ${error.message}`, { cause: error });
    throw error;
  }
}
