import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type RowDataPacket,
} from 'mysql2/promise';
import { serverProcess } from './server-process.ts';
import { serverProgram, type Vendor } from './server-program.ts';
import { copyTemplate } from './template.ts';

/** Everything a shell, an option file, a URL or a printf can trip over. */
export const NASTY_PASSWORD = `pä"ss'w\\o#r%d ;x`;

/** How to start a server. */
export interface MariaDbOptions {
  /**
   * Lines added to the `[mysqld]` section, such as `net_write_timeout=3`. They win over the
   * harness's own.
   */
  readonly config?: readonly string[];
  /** Password of root; {@link NASTY_PASSWORD} when not given. */
  readonly rootPassword?: string;
  /**
   * Data directory to use and to keep: made from the template when it is missing or empty, never
   * removed.
   */
  readonly dataDir?: string;
  /** TCP port on 127.0.0.1; a free one when not given. */
  readonly port?: number;
}

/** One row as the client library gives it. */
export type Row = RowDataPacket;

/** A running server of our own: MariaDB, or MySQL where {@link serverProgram} says so. */
export interface MariaDb {
  readonly vendor: Vendor;
  /** The program's version, such as `10.11.14-MariaDB-0+deb12u2` or `9.7.4`. */
  readonly version: string;
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Path of the unix socket. */
  readonly socket: string;
  readonly user: 'root';
  readonly password: string;
  /** Process id of the server itself; changes with `restart()`. */
  readonly pid: number;
  /** Directory of socket, error log and (unless given) data; `stop()` removes it. */
  readonly dir: string;
  /** Runs one statement on a shared connection and returns its rows, if any. */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * A new connection as root (or as `options.user`); the caller ends it. `stop()` ends all
   * remaining ones.
   */
  connect(options?: ConnectionOptions): Promise<Connection>;
  /** Shuts down cleanly and removes `dir`. May be called again, and after `kill()`. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash leaves. `restart()` brings the server back through crash recovery. */
  kill(): Promise<void>;
  /** Shuts down (if still running) and starts again on the same data, port and socket. */
  restart(config?: readonly string[]): Promise<void>;
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string')
    throw new Error('no free TCP port on 127.0.0.1');
  return address.port;
}

async function isEmptyOrMissing(path: string): Promise<boolean> {
  return stat(join(path, 'mysql')).then(
    () => false,
    () => true,
  );
}

/**
 * Starts a server on data of its own, reading no configuration of the machine, and waits until root
 * can log in. It dies with the thread that started it, so a crashed test leaves nothing running.
 *
 * @throws Error when the server is not installed, or does not answer within a minute (with its
 *   error log's end).
 */
export async function startMariaDb(options: MariaDbOptions = {}): Promise<MariaDb> {
  const program = await serverProgram();
  const password = options.rootPassword ?? NASTY_PASSWORD;
  // Unix socket paths end at 107 bytes, and TMPDIR may be long.
  const base = tmpdir().length > 60 ? '/tmp' : tmpdir();
  const dir = await mkdtemp(join(base, 'mdb-'));
  const socket = join(dir, 's.sock');
  const dataDir = options.dataDir ?? join(dir, 'data');
  const port = options.port ?? (await freePort());
  let shared: Promise<Connection> | undefined;
  const connections: Set<Connection> = new Set();

  const connect = async (extra: ConnectionOptions = {}): Promise<Connection> => {
    const connection = await createConnection({
      host: '127.0.0.1',
      port,
      user: 'root',
      password,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      bigNumberStrings: true,
      dateStrings: true,
      // The client library sets IGNORE_SPACE by default, and routines keep the SQL mode of their
      // creation.
      flags: ['-IGNORE_SPACE'],
      ...extra,
    });
    connections.add(connection);
    const forget = (): void => void connections.delete(connection);
    connection.on('end', forget);
    connection.on('error', forget);
    return connection;
  };

  const sharedConnection = async (): Promise<Connection> => {
    const current = await shared?.catch(() => undefined);
    if (current !== undefined && connections.has(current)) return current;
    shared = connect();
    return shared;
  };

  const disconnect = (): void => {
    for (const connection of connections) connection.destroy();
    connections.clear();
    shared = undefined;
  };

  const server = serverProcess(
    { program, dir, socket, port, dataDir, password },
    { connect, disconnect },
  );

  const stop = async (): Promise<void> => {
    await server.halt('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  };

  try {
    if (await isEmptyOrMissing(dataDir)) await copyTemplate(program, dataDir);
    await server.start(options.config ?? []);
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    vendor: program.vendor,
    version: program.version,
    host: '127.0.0.1',
    port,
    socket,
    user: 'root',
    password,
    get pid() {
      return server.pid;
    },
    dir,
    connect,
    async query(sql, values) {
      const connection = await sharedConnection();
      const [rows] = await connection.query<Row[]>(
        sql,
        values === undefined ? undefined : [...values],
      );
      return Array.isArray(rows) ? rows : [];
    },
    stop,
    kill: () => server.halt('SIGKILL'),
    async restart(config) {
      await server.halt('SIGTERM');
      await server.start(config ?? options.config ?? []);
    },
  };
}
