import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { ServerConfig } from '../config.ts';
import { LONG_FACTOR } from '../contract.ts';
import { Failure, messageOf } from '../errors.ts';
import { within } from '../within.ts';
import { connectReason, QueryTimeout } from './connection-errors.ts';
import { type Answer, sendStatement } from './statement-wire.ts';
import { dial, sslOptions, type Transport, transportOf } from './tls.ts';

/** No longer than this, and no longer than a statement may take. */
const CONNECT_SECONDS = 10;
const GOODBYE_MILLISECONDS = 2000;
/** To end a statement in the server after it timed out here. */
const CANCEL_SECONDS = 3;

export type Row = Readonly<Record<string, string | number | null>>;

export type Query = (sql: string, values?: readonly (string | number)[]) => Promise<readonly Row[]>;

type Send = (slices: readonly Uint8Array[]) => Promise<Answer>;

export type Database = {
  /** The server's number for the connection, as its process list shows it. */
  readonly id: number;
  /** A proxy between us and the server gives connections numbers of its own. */
  readonly behindProxy: boolean;
  readonly transport: Transport;
  /**
   * Runs one statement. Values are bound, never pasted. After a timeout the server ends the
   * statement and the connection.
   * @throws the server's error, or one with the code `QUERY_TIMEOUT`.
   */
  readonly query: Query;
  /** The same for statements whose duration grows with the number of rows. */
  readonly longQuery: Query;
  /** Sends one statement without rows in its answer, as bytes, and without a timeout. */
  readonly send: Send;
  /** The same with the timeout of `longQuery`. */
  readonly longSend: Send;
  readonly onLost: (listener: (error: Error) => void) => void;
  /** Takes two seconds at the most, regardless of the server's state. */
  readonly close: () => Promise<void>;
};

/**
 * Settings that our own statements rely on, regardless of the server's defaults: backslashes quote
 * values, an answer holds all rows, and each statement is a transaction of its own.
 */
const OWN_SESSION =
  "SET SESSION sql_mode = '', sql_select_limit = 18446744073709551615, sql_big_selects = 1, " +
  'autocommit = 1, ' +
  // Behind a proxy the handshake's number is the proxy's. A proxy that shares its connections
  // between clients gives a session with a user variable a connection of its own.
  '@mydumper_fargate_connection = CONNECTION_ID()';

/**
 * Opens a connection of our own, as mydumper will open its own.
 * @throws Failure `preflight` naming the server and the reason.
 */
export async function openDatabase(server: ServerConfig): Promise<Database> {
  const where = server.socket ?? `${server.host}:${server.port}`;
  const { connection, transport } = await connect(server).catch((error: unknown) => {
    throw new Failure(
      'preflight',
      `cannot connect to MySQL at ${where} as ${server.user}: ${connectReason(error, server)}`,
      { cause: error },
    );
  });
  let id: number | undefined;
  /** The first timeout. Every later statement fails with the same error. */
  let givenUp: QueryTimeout | undefined;
  const bounded = async <T>(factor: number, sql: () => string, ask: () => Promise<T>) => {
    if (givenUp !== undefined) throw givenUp;
    const seconds = server.queryTimeoutSeconds * factor;
    const answer = ask();
    if (!(await isLate(seconds, answer))) return await answer;
    givenUp ??= new QueryTimeout(seconds, server.queryTimeoutSeconds, sql());
    connection.destroy();
    answer.catch(() => {});
    if (id !== undefined) await cancel(server, id, id !== connection.threadId);
    throw givenUp;
  };
  const querying =
    (factor: number): Query =>
    (sql, values = []) =>
      bounded(
        factor,
        () => sql,
        async () => {
          const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
          return rows as unknown as readonly Row[];
        },
      );
  const send: Send = (slices) => sendStatement(connection, slices);
  const query = querying(1);
  try {
    await query(OWN_SESSION);
    const [row] = await query('SELECT @mydumper_fargate_connection AS id');
    id = Number(row?.id);
  } catch (error) {
    connection.destroy();
    throw new Failure('preflight', `cannot use MySQL at ${where}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  let closing = false;
  return {
    id,
    behindProxy: id !== connection.threadId,
    transport,
    query,
    longQuery: querying(LONG_FACTOR),
    send,
    longSend: (slices) =>
      bounded(
        LONG_FACTOR,
        () => Buffer.from(slices[0] ?? []).toString('utf8'),
        () => send(slices),
      ),
    onLost: (listener) => {
      connection.on('error', (error: Error) => {
        if (!closing) listener(error);
      });
    },
    close: async () => {
      closing = true;
      // An unreachable server never answers the statement that this waits behind.
      await within(
        GOODBYE_MILLISECONDS,
        connection.end().catch(() => {}),
      );
      connection.destroy();
    },
  };
}

type Connected = { readonly connection: Connection; readonly transport: Transport };

/** Also gives up if the server accepts the connection and then stops answering, at any step. */
async function connect(server: ServerConfig): Promise<Connected> {
  const seconds = Math.min(CONNECT_SECONDS, server.queryTimeoutSeconds);
  const late = new AbortController();
  const connecting = connectWithin(server, seconds, late.signal);
  if (!(await isLate(seconds, connecting))) return await connecting;
  late.abort();
  connecting.then(({ connection }) => connection.destroy()).catch(() => {});
  throw Object.assign(new Error(`no answer within ${seconds} s`), { code: 'ETIMEDOUT' });
}

async function connectWithin(
  server: ServerConfig,
  seconds: number,
  signal: AbortSignal,
): Promise<Connected> {
  const { socket, offersTls } = await dial(server, signal);
  let connection: Connection | undefined;
  let encrypted = false;
  try {
    const ssl = sslOptions(server, offersTls);
    encrypted = ssl !== undefined;
    const connecting = createConnection({
      stream: socket,
      ...(server.socket === undefined
        ? { host: server.host, port: server.port }
        : { socketPath: server.socket }),
      user: server.user,
      password: server.password,
      connectTimeout: seconds * 1000,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      dateStrings: true,
      ...(ssl !== undefined && { ssl }),
    });
    socket.resume();
    connection = await connecting;
    return { connection, transport: transportOf(streamOf(connection), server) };
  } catch (error) {
    connection?.destroy();
    socket.destroy();
    throw Object.assign(error as Error, { encrypted });
  }
}

/** The current stream: with TLS it is no longer the socket that mysql2 was given. */
function streamOf(connection: Connection): unknown {
  return (connection as unknown as { connection: { stream: unknown } }).connection.stream;
}

/** Whether the work has neither resolved nor rejected by then. */
async function isLate(seconds: number, work: Promise<unknown>): Promise<boolean> {
  const ended = work.then(
    () => true,
    () => true,
  );
  return (await within(seconds * 1000, ended)) === undefined;
}

/**
 * Ends a connection in the server. Otherwise the server would continue its statement, and wait for
 * its lock, long after the client has gone.
 */
async function cancel(server: ServerConfig, id: number, behindProxy: boolean): Promise<void> {
  const seconds = Math.min(CANCEL_SECONDS, server.queryTimeoutSeconds);
  const kill = async () => {
    const { connection } = await connect({ ...server, queryTimeoutSeconds: seconds });
    const query = (sql: string) => connection.query(sql);
    await isLate(seconds, killConnection({ query, behindProxy }, id));
    connection.destroy();
  };
  await within(
    2 * seconds * 1000,
    kill().catch(() => {}),
  );
}

/**
 * Ends a connection by the server's number for it. A user may always end his own. ProxySQL and
 * MaxScale run KILL themselves, with their own numbers, but do not look into a prepared statement.
 * @throws the server's error, such as when the connection is gone.
 */
export async function killConnection(
  {
    query,
    behindProxy,
  }: Pick<Database, 'behindProxy'> & { query: (sql: string) => Promise<unknown> },
  id: number,
): Promise<void> {
  if (!behindProxy) {
    await query(`KILL ${id}`);
    return;
  }
  await query(`PREPARE mydumper_fargate_kill FROM 'KILL ${id}'`);
  await query('EXECUTE mydumper_fargate_kill');
}
