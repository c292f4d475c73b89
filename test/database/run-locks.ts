import { afterAll, beforeAll, beforeEach, onTestFinished } from 'vitest';
import type { ServerConfig } from '../../app/config.ts';
import {
  backupOf,
  type Exclusive,
  type RunLock,
  takeRunLock,
} from '../../app/database/run-lock.ts';
import type { Failure } from '../../app/errors.ts';
import { type MariaDb, startMariaDb } from '../support/mariadb/harness.ts';
import { serverAddress } from '../support/mariadb/server-address.ts';

export const WAIT = { timeout: 30_000, interval: 5 };
let times = 0;

/**
 * Starts a server for a file of tests, and gives each test a source of its own: the server frees
 * the locks of a broken connection late.
 */
export function useRunLocks() {
  let db: MariaDb;
  let source = '';

  beforeAll(async () => {
    db = await startMariaDb();
  });
  afterAll(() => db?.stop());
  beforeEach(() => {
    times += 1;
    source = `db${times}`;
  });

  return {
    db: () => db,
    source: () => source,
    /** Takes the lock of the running test, released when it ends. */
    take: async (
      exclusive: string | Exclusive = source,
      port = db.port,
      {
        tls,
        ...patience
      }: {
        keepAliveMilliseconds?: number;
        answerSeconds?: number;
        tls?: ServerConfig['tls'];
      } = {},
    ) => {
      const warnings: string[] = [];
      const taken: Failure[] = [];
      const lock: RunLock = await takeRunLock(
        serverAddress(db, { port, ...(tls !== undefined && { tls }) }),
        typeof exclusive === 'string' ? backupOf(exclusive) : exclusive,
        (message) => warnings.push(message),
        (failure) => taken.push(failure),
        patience,
      );
      onTestFinished(() => lock.release());
      return { lock, warnings, taken };
    },
    /** Id of the connection that holds the lock; null without one. */
    holder: async (): Promise<number | null> => {
      const [row] = await db.query('SELECT IS_USED_LOCK(?) AS holder', [backupOf(source).name]);
      return row?.holder === null ? null : Number(row?.holder);
    },
  };
}
