import type { Database, Row } from './connection.ts';

/** Whether the server is a replica, and how far behind its source. */
export type Replication = {
  /** Undefined if the user may not ask. */
  readonly replica: boolean | undefined;
  /** The longest lag of several sources; undefined if it is no replica or the lag is unknown. */
  readonly replicaLagSeconds: number | undefined;
};

/** For all sources of MariaDB, for MySQL 8.0.22 and later, for MySQL before 8.4. */
const STATEMENTS = ['SHOW ALL SLAVES STATUS', 'SHOW REPLICA STATUS', 'SHOW SLAVE STATUS'];

/** @throws nothing: a user without REPLICATION CLIENT or REPLICA MONITOR may make backups. */
export async function readReplication(database: Database): Promise<Replication> {
  for (const statement of STATEMENTS) {
    const rows = await database.query(statement).catch(() => undefined);
    if (rows !== undefined) return replicationOf(rows);
  }
  return { replica: undefined, replicaLagSeconds: undefined };
}

/** Pure. */
export function replicationOf(rows: readonly Row[]): Replication {
  const lags = rows.map((row) => row.Seconds_Behind_Source ?? row.Seconds_Behind_Master ?? null);
  const isKnown = lags.length > 0 && lags.every((lag) => lag !== null);
  return {
    replica: rows.length > 0,
    replicaLagSeconds: isKnown ? Math.max(...lags.map(Number)) : undefined,
  };
}
