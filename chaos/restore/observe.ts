import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { RESTORE_STATE_DATABASE } from '../../app/contract.ts';
import { RESTORING } from '../../app/database/run-lock.ts';
import { fileLock } from '../../app/restore/file-lock.ts';
import { describeServer, differences } from '../../test/support/mariadb/compare.ts';
import type { MariaDb } from '../../test/support/mariadb/harness.ts';
import { quoteName } from '../../test/support/mariadb/sql.ts';
import type { S3Server } from '../../test/support/s3/server.ts';
import type { PreparedBackup } from './backups.ts';
import { LAB_DATABASE, RESTORER, type WrongObject } from './scene.ts';

const SYSTEM = `('mysql', 'sys', 'information_schema', 'performance_schema', '${LAB_DATABASE}')`;
/** The server may take a moment to end what a lost client has begun. */
const GONE_MILLISECONDS = 15_000;
/** More than any backup here has files. */
const MARKS = 400;

export async function databasesOn(db: MariaDb): Promise<string[]> {
  const rows = await db.query(
    `SELECT SCHEMA_NAME n FROM information_schema.SCHEMATA
     WHERE SCHEMA_NAME NOT IN ${SYSTEM} ORDER BY 1`,
  );
  return rows.map(({ n }) => String(n));
}

export async function dropRestored(db: MariaDb): Promise<void> {
  for (const name of await databasesOn(db)) await db.query(`DROP DATABASE ${quoteName(name)}`);
}

/** Connections of the program. */
export async function connectionsOf(db: MariaDb, condition = '1'): Promise<number[]> {
  const rows = await db.query(
    `SELECT ID FROM information_schema.PROCESSLIST
     WHERE USER = '${RESTORER}' AND ${condition} ORDER BY ID`,
  );
  return rows.map(({ ID }) => Number(ID));
}

/** Tables with a file that is begun and not loaded. */
export async function openTables(
  db: MariaDb,
  { files, tableOf }: PreparedBackup,
): Promise<{ database: string; name: string }[]> {
  const rows = await db.query(`SELECT file FROM ${RESTORE_STATE_DATABASE}.files WHERE judged = 0`);
  return rows.flatMap((row) => {
    const file = files.find(({ name }) => name === String(row.file));
    return file === undefined ? [] : [{ database: file.database ?? '', name: tableOf(file) }];
  });
}

/** What differs from the source, and databases that should not be there. */
export async function contentFaults(db: MariaDb, backup: PreparedBackup): Promise<string[]> {
  const extra = (await databasesOn(db)).filter((name) => !backup.databases.includes(name));
  const lines = await describeServer(db, backup.databases).then(
    (after) => differences(backup.before, after),
    (error: unknown) => [String(error)],
  );
  return [...lines, ...extra.map((name) => `database ${name} is there`)];
}

/** An object that was wrong or missing, and what came of it. */
export type WrongSeen = {
  readonly key: string;
  readonly altered: boolean;
  /** The whole wrong content was sent. */
  readonly read: boolean;
  /** In the table of its rows; undefined without rows, or without the table. */
  readonly rows: number | undefined;
};

export async function lookAtWrong(
  { db, s3, backup }: { db: MariaDb; s3: S3Server; backup: PreparedBackup },
  wrong: readonly WrongObject[],
): Promise<WrongSeen[]> {
  const seen: WrongSeen[] = [];
  for (const { file, since, altered } of wrong) {
    const read = s3.requests.some(
      ({ operation, key, at, status, bytes }) =>
        operation === 'GetObject' &&
        key === file.key &&
        at >= since &&
        status === 200 &&
        bytes >= file.storedBytes,
    );
    const table = quoteName(file.database ?? '', backup.tableOf(file));
    const [row] =
      file.kind === 'data'
        ? await db.query(`SELECT COUNT(*) AS n FROM ${table}`).catch(() => [])
        : [];
    seen.push({
      key: file.key,
      altered,
      read: altered && read,
      rows: row === undefined ? undefined : Number(row.n),
    });
  }
  return seen;
}

/** Connections and locks that stay after the end. */
export async function leftInServer(db: MariaDb): Promise<string[]> {
  const deadline = performance.now() + GONE_MILLISECONDS;
  while ((await connectionsOf(db)).length > 0 && performance.now() < deadline) await sleep(20);
  const left = await db.query(
    `SELECT ID, COMMAND, STATE, LEFT(INFO, 80) AS INFO FROM information_schema.PROCESSLIST
     WHERE USER = '${RESTORER}'`,
  );
  const lines = left.map((row) => `connection ${JSON.stringify(row)}`);
  const names = [RESTORING.name, ...Array.from({ length: MARKS }, (_, id) => fileLock(id))];
  const [row] = await db.query(
    `SELECT ${names.map((name, index) => `IS_USED_LOCK('${name}') AS l${index}`).join(', ')}`,
  );
  for (const [index, name] of names.entries())
    if (row?.[`l${index}`] != null) lines.push(`lock ${name} of ${row[`l${index}`]}`);
  return lines;
}

/** Living processes that were started with this environment. */
export function processesWithVariable(text: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        if (!environment.split('\0').includes(text)) return [];
        return [`${name} ${readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        return []; // gone, or of another user
      }
    });
}
