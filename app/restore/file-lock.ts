import { type Database, killConnection } from '../database/connection.ts';
import { Failure } from '../errors.ts';

/** The server frees the lock of a killed connection after it rolled back its transaction. */
const WAIT_SECONDS = 30;
const TRIES = 20;

/** Its name in the server. */
export function fileLock(id: number): string {
  return `mydumper-fargate-file:${id}`;
}

/**
 * Takes the lock that a connection holds while it loads the file of that mark. Another holder
 * belongs to an earlier run or to a lost connection, since this run holds the lock on restores: its
 * connection is ended. Nothing of it is under way any more when this returns.
 * @throws Failure `restore`
 */
export async function takeFileLock(database: Database, id: number): Promise<void> {
  const { query } = database;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const seconds = tries === 0 ? 0 : WAIT_SECONDS;
    const [row] = await query('SELECT GET_LOCK(?, ?) AS taken', [fileLock(id), seconds]);
    if (Number(row?.taken) === 1) return;
    const [holder] = await query('SELECT IS_USED_LOCK(?) AS id', [fileLock(id)]);
    if (holder?.id !== null) await killConnection(database, Number(holder?.id)).catch(() => {});
  }
  throw new Failure(
    'restore',
    `another connection in the server still holds the lock "${fileLock(id)}" of a file to load; ` +
      'wait for it to end, or end it with KILL',
  );
}

export async function releaseFileLock({ query }: Database, id: number): Promise<void> {
  await query('DO RELEASE_LOCK(?)', [fileLock(id)]);
}
