import type { Connection, ConnectionOptions } from 'mysql2/promise';
import { onTestFinished } from 'vitest';
import { markSession, newRunMark, type RunMark } from '../../app/database/run-mark.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';

/** Creates a mark that the server holds until the running test ends. */
export async function holdMark(db: MariaDb): Promise<RunMark> {
  const mark = newRunMark();
  const holder = await db.connect();
  onTestFinished(() => holder.destroy());
  await holder.query('DO GET_LOCK(?, 0)', [mark]);
  return mark;
}

/** Opens a session as mydumper does. */
export async function openMarked(
  db: MariaDb,
  mark: RunMark,
  options: ConnectionOptions = {},
): Promise<Connection> {
  const connection = await db.connect(options);
  const assignments = Object.entries(markSession(mark)).map(
    ([name, value]) => `${name} = ${value}`,
  );
  await connection.query(`SET SESSION ${assignments.join(', ')}`);
  return connection;
}
