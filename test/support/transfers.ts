import type { Connection } from 'mysql2/promise';
import type { MariaDb } from './mariadb/harness.ts';
import { seededRandom } from './mariadb/random.ts';

const ER_LOCK_DEADLOCK = 1213;

export type Transfers = {
  /** Transfers done up to now. */
  readonly count: () => number;
  /** Of all statements, the one that waited longest, in seconds. */
  readonly longestWaitSeconds: () => number;
  /** Ends after the transfer under way. @throws the server's error when one failed. */
  readonly stop: () => Promise<void>;
};

export type TransfersOptions = {
  readonly accounts: number;
  readonly tables: readonly [string, string];
  /**
   * How a transfer becomes one change: in a transaction, or under LOCK TABLES where the engine has
   * none.
   */
  readonly by?: 'transaction' | 'table locks';
};

/** Moves money between two tables, one transfer after another, until it is stopped. */
export async function startTransfers(
  db: MariaDb,
  { accounts, tables, by = 'transaction' }: TransfersOptions,
): Promise<Transfers> {
  const connection = await db.connect();
  const random = seededRandom(1);
  let going = true;
  let count = 0;
  let longestWaitSeconds = 0;
  const timed = async (sql: string) => {
    const from = performance.now();
    await connection.query(sql);
    longestWaitSeconds = Math.max(longestWaitSeconds, (performance.now() - from) / 1000);
  };
  const work = (async () => {
    while (going) {
      const id = 1 + random.int(accounts);
      const amount = random.int(100);
      await timed(
        by === 'transaction'
          ? 'START TRANSACTION'
          : `LOCK TABLES ${tables.map((table) => `${table} WRITE`).join(', ')}`,
      );
      try {
        await timed(`UPDATE ${tables[0]} SET balance = balance - ${amount} WHERE id = ${id}`);
        await timed(`UPDATE ${tables[1]} SET balance = balance + ${amount} WHERE id = ${id}`);
        await timed(by === 'transaction' ? 'COMMIT' : 'UNLOCK TABLES');
        count += 1;
      } catch (error) {
        // The dump's LOCK TABLES may come between the two tables. The transfer then starts again,
        // as an application does.
        if (by !== 'transaction' || (error as { errno?: number }).errno !== ER_LOCK_DEADLOCK)
          throw error;
        await timed('ROLLBACK');
      }
    }
  })().finally(() => close(connection));
  work.catch(() => {}); // told by stop
  return {
    count: () => count,
    longestWaitSeconds: () => longestWaitSeconds,
    stop: async () => {
      going = false;
      await work;
    },
  };
}

async function close(connection: Connection): Promise<void> {
  await connection.end().catch(() => connection.destroy());
}
