import type { MariaDb } from './harness.ts';
import { programLosses } from './losses-of-programs.ts';
import { tableLosses } from './losses-of-tables.ts';
import type { SilentLoss } from './silent-loss.ts';
import { quoteName } from './sql.ts';

/** All known losses; each was tried. None is in the databases that `createNastyDatabases` makes. */
export const silentLosses: readonly SilentLoss[] = [...tableLosses, ...programLosses];

/**
 * Creates a database `loss` that shows the loss, on a server that runs with the loss's `config`.
 * Returns its name.
 */
export async function createSilentLoss(db: MariaDb, which: SilentLoss): Promise<string> {
  const connection = await db.connect();
  try {
    await connection.query("SET SESSION time_zone = '+00:00'");
    await connection.query(`CREATE DATABASE ${quoteName('loss')}`);
    await connection.query('USE loss');
    for (const statement of which.statements) await connection.query(statement);
    return 'loss';
  } finally {
    await connection.end();
  }
}
