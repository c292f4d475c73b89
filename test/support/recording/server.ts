import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import { SYSTEM_SCHEMAS } from '../../../app/mydumper/arguments.ts';
import { startMariaDb } from '../mariadb/harness.ts';
import { quoteName } from '../mariadb/sql.ts';

/** Who dumps where privileges are limited. */
export const RECORDED_USER = 'backup';

/** The server that recordings are made against. */
export type RecordedServer = {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Its directory among the recordings, such as `mariadb-10.11`. */
  readonly name: string;
  readonly version: string;
  readonly query: (sql: string) => Promise<RowDataPacket[]>;
  /** SIGKILL; undefined for a server that is not the recorder's own. */
  readonly kill: (() => Promise<void>) | undefined;
  /** Starts it again if it was killed. */
  readonly revive: (() => Promise<void>) | undefined;
  readonly stop: () => Promise<void>;
};

export type ServerAddress = Pick<RecordedServer, 'host' | 'port' | 'user' | 'password'>;

/** MariaDB of this machine, with a binary log as servers in production have it. */
export async function startOwnServer(): Promise<RecordedServer> {
  const db = await startMariaDb({ config: ['log-bin=binlog', 'server-id=7', 'gtid-domain-id=0'] });
  const [row] = await db.query('SELECT VERSION() AS version');
  const version = String(row?.version);
  let killed = false;
  return {
    ...{ host: db.host, port: db.port, user: db.user, password: db.password, version },
    name: nameOf(version, 'mariadb'),
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

/** A server that runs already. It must have no databases but its own: the recorder makes and drops some. */
export async function useServer(address: ServerAddress): Promise<RecordedServer> {
  const { host, port, user, password } = address;
  const connection: Connection = await createConnection({
    host,
    port,
    user,
    password,
    flags: ['-IGNORE_SPACE'],
  });
  const query = async (sql: string) => {
    const [rows] = await connection.query<RowDataPacket[]>(sql);
    return Array.isArray(rows) ? rows : [];
  };
  const system = new Set<string>(SYSTEM_SCHEMAS);
  const foreign = (await query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA')).filter(
    ({ name }) => !system.has(name),
  );
  if (foreign.length > 0)
    throw new Error(`the server has databases: ${foreign.map(({ name }) => name).join(', ')}`);
  const [row] = await query('SELECT VERSION() AS version, @@version_comment AS comment');
  return {
    ...address,
    name: nameOf(String(row?.version), String(row?.comment)),
    version: `${row?.version} ${row?.comment}`,
    query,
    kill: undefined,
    revive: undefined,
    stop: () => connection.end(),
  };
}

/** mydumper knows MySQL by its version comment, so one whose comment does not name it is a server of its own. */
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
