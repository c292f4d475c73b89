import { SYSTEM_SCHEMAS } from '../../../app/mydumper/database-regex.ts';
import { type Row, startMariaDb } from '../mariadb/harness.ts';
import { serverProgram, type Vendor } from '../mariadb/server-program.ts';
import { quoteName } from '../mariadb/sql.ts';

/** The user of dumps with limited privileges. */
export const RECORDED_USER = 'backup';

/** The server of recordings. */
export type RecordedServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Its directory among the recordings, such as `mariadb-10.11`. */
  readonly name: string;
  readonly version: string;
  readonly query: (sql: string) => Promise<Row[]>;
  readonly vendor: Vendor;
  readonly kill: () => Promise<void>;
  /** Starts it again if it was killed. */
  readonly revive: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/**
 * The server that tests start (TEST_SERVER and TEST_SERVER_ROOT choose it), with a binary log as in
 * production.
 */
export async function startRecordedServer(): Promise<RecordedServer> {
  const { vendor } = await serverProgram();
  const domain = vendor === 'mariadb' ? ['gtid-domain-id=0'] : [];
  const db = await startMariaDb({ config: ['log-bin=binlog', 'server-id=7', ...domain] });
  const [row] = await db.query('SELECT VERSION() AS version, @@version_comment AS comment');
  let killed = false;
  return {
    ...{ host: db.host, port: db.port, user: db.user, password: db.password },
    name: nameOf(String(row?.version), String(row?.comment)),
    version: vendor === 'mariadb' ? String(row?.version) : `${row?.version} ${row?.comment}`,
    vendor,
    query: db.query,
    kill: async () => {
      killed = true;
      await db.kill();
    },
    revive: async () => {
      if (killed) await db.restart();
      killed = false;
    },
    stop: db.stop,
  };
}

/**
 * mydumper recognises MySQL by its version comment. A MySQL whose comment does not name it counts
 * as a separate server.
 */
function nameOf(version: string, comment: string): string {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  if (/mariadb/i.test(version)) return `mariadb-${major}.${minor}`;
  return /mysql/i.test(comment) ? `mysql-${major}` : `mysql-${major}-unnamed`;
}

/** Drops everything but the server's own databases, and the user of the recordings. */
export async function removeDatabases({ query }: RecordedServer): Promise<void> {
  const system = new Set<string>(SYSTEM_SCHEMAS);
  for (const { name } of await query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA'))
    if (!system.has(name)) await query(`DROP DATABASE ${quoteName(name)}`);
  await query(`DROP USER IF EXISTS ${RECORDED_USER}@'127.0.0.1', ${RECORDED_USER}@localhost`);
}
