import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Connection,
  type ConnectionOptions,
  createConnection,
  type RowDataPacket,
} from 'mysql2/promise';
import { configFile, FAST_AND_SMALL } from './server-config.ts';
import { serverProgram, type Vendor } from './server-program.ts';
import { copyTemplate, userArguments } from './template.ts';

const START_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 30_000;

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
  /** As the program gives it, such as `10.11.14-MariaDB-0+deb12u2` or `9.7.4`. */
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
  /**
   * Runs one statement on a connection kept for this and gives its rows (none for a statement
   * without any).
   */
  query(sql: string, values?: readonly unknown[]): Promise<Row[]>;
  /**
   * A new connection as root (or as `options.user`); the caller ends it. `stop()` ends what is left
   * over.
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

async function tail(path: string, bytes = 4000): Promise<string> {
  const text = await readFile(path, 'utf8').catch(() => '');
  return text.slice(-bytes);
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
  const errorLog = join(dir, 'error.log');
  const dataDir = options.dataDir ?? join(dir, 'data');
  const port = options.port ?? (await freePort());
  let server: ChildProcess | undefined;
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
      // The client library sets it by default, and routines keep the SQL mode they were created
      // under.
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

  const exited = async (deadline: number): Promise<boolean> => {
    const child = server;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return true;
    return Promise.race([
      once(child, 'exit').then(() => true),
      sleep(deadline, false, { ref: false }),
    ]);
  };

  const halt = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    disconnect();
    server?.kill(signal);
    if (!(await exited(STOP_DEADLINE_MS))) {
      server?.kill('SIGKILL');
      await exited(STOP_DEADLINE_MS);
    }
    server = undefined;
  };

  const boot = async (config: readonly string[]): Promise<void> => {
    const own = [
      `datadir=${dataDir}`,
      `socket=${socket}`,
      `port=${port}`,
      `pid-file=${join(dir, 'pid')}`,
    ];
    // Runs at every start, before connections are accepted; the file is gone once the server
    // answers.
    const init = join(dir, 'init.sql');
    const quoted = `'${password.replace(/[\\']/g, (c) => `\\${c}`)}'`;
    await writeFile(
      init,
      [
        "SET sql_mode='';",
        `ALTER USER root@localhost IDENTIFIED BY ${quoted};`,
        `CREATE USER IF NOT EXISTS root@'127.0.0.1' IDENTIFIED BY ${quoted};`,
        `ALTER USER root@'127.0.0.1' IDENTIFIED BY ${quoted};`,
        "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;",
        '',
      ].join('\n'),
      { mode: 0o600 },
    );
    const defaults = join(dir, 'my.cnf');
    await writeFile(
      defaults,
      configFile([
        ...FAST_AND_SMALL[program.vendor],
        ...program.files,
        ...own,
        `tmpdir=${dir}`,
        `init-file=${init}`,
        ...config,
      ]),
      { mode: 0o600 },
    );
    const log = await open(errorLog, 'a');
    const child = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        ...program.command,
        `--defaults-file=${defaults}`,
        ...userArguments(),
      ],
      { stdio: ['ignore', log.fd, log.fd], detached: true },
    );
    server = child;
    let failure: string | undefined;
    child.on('error', (error) => {
      failure = error.message;
    });
    child.on('exit', (code, signal) => {
      failure = `it ended with ${signal ?? `exit code ${code}`}`;
    });
    await log.close();
    const deadline = Date.now() + START_DEADLINE_MS;
    for (;;) {
      const connection = await connect().catch((error: unknown) => error);
      if (connection !== null && typeof connection === 'object' && 'threadId' in connection) break;
      if (failure === undefined && Date.now() > deadline)
        failure = `no login in a minute: ${String(connection)}`;
      if (failure !== undefined) {
        await halt('SIGKILL');
        throw new Error(`${program.path} did not start: ${failure}\n${await tail(errorLog)}`);
      }
      await sleep(20);
    }
    disconnect();
    await rm(init, { force: true });
  };

  const stop = async (): Promise<void> => {
    await halt('SIGTERM');
    await rm(dir, { recursive: true, force: true });
  };

  try {
    if (await isEmptyOrMissing(dataDir)) await copyTemplate(program, dataDir);
    await boot(options.config ?? []);
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
      return server?.pid ?? -1;
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
    kill: () => halt('SIGKILL'),
    async restart(config) {
      await halt('SIGTERM');
      await boot(config ?? options.config ?? []);
    },
  };
}
