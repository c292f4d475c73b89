import { readFileSync } from 'node:fs';
import { type Connection, createConnection, type RowDataPacket } from 'mysql2/promise';
import type { ServerConfig } from '../config.ts';
import { Failure, messageOf } from '../errors.ts';
import { within } from '../within.ts';

const CONNECT_MILLISECONDS = 10_000;
const GOODBYE_MILLISECONDS = 2000;

export type Row = Readonly<Record<string, string | number | null>>;

export type Database = {
  /** The server's number for the connection, as KILL takes it. */
  readonly id: number;
  /** Runs one statement. Values are bound, never pasted. @throws the server's error. */
  readonly query: (sql: string, values?: readonly (string | number)[]) => Promise<readonly Row[]>;
  readonly onLost: (listener: (error: Error) => void) => void;
  /** Takes two seconds at the most, whatever has become of the server. */
  readonly close: () => Promise<void>;
};

/** Opens a connection of our own, as mydumper will open its own. @throws Failure `preflight` naming the server and the reason. */
export async function openDatabase(server: ServerConfig): Promise<Database> {
  const where = server.socket ?? `${server.host}:${server.port}`;
  let connection: Connection;
  try {
    connection = await createConnection({
      ...(server.socket === undefined
        ? { host: server.host, port: server.port }
        : { socketPath: server.socket }),
      user: server.user,
      password: server.password,
      connectTimeout: CONNECT_MILLISECONDS,
      charset: 'utf8mb4',
      supportBigNumbers: true,
      dateStrings: true,
      ...tlsOptions(server),
    });
  } catch (error) {
    throw new Failure(
      'preflight',
      `cannot connect to MySQL at ${where} as ${server.user}: ${connectReason(error)}`,
      {
        cause: error,
      },
    );
  }
  // Values are quoted on our side with backslashes, which NO_BACKSLASH_ESCAPES on the server would undo.
  await connection.query("SET SESSION sql_mode = ''");
  let closing = false;
  return {
    id: connection.threadId,
    query: async (sql, values = []) => {
      const [rows] = await connection.query<RowDataPacket[]>(sql, [...values]);
      return rows as unknown as readonly Row[];
    },
    onLost: (listener) => {
      connection.on('error', (error: Error) => {
        if (!closing) listener(error);
      });
    },
    close: async () => {
      closing = true;
      // It waits behind a statement that a server which is out of reach never answers.
      await within(
        GOODBYE_MILLISECONDS,
        connection.end().catch(() => {}),
      );
      connection.destroy();
    },
  };
}

function connectReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ECONNREFUSED')
    return 'connection refused; check HOST and PORT, and that the server is running';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'the host name has no address; check HOST';
  if (code === 'ENOENT') return 'there is no such socket; check SOCKET';
  if (code === 'ETIMEDOUT') return 'no answer; check HOST, PORT, security groups and routes';
  return messageOf(error) || code || 'unknown error';
}

function tlsOptions({ tls, host }: ServerConfig): { ssl?: Record<string, unknown> } {
  const { mode, caFile } = tls;
  if (mode === undefined || mode === 'disabled' || mode === 'preferred') return {};
  const ca = caFile === undefined ? {} : { ca: readFileSync(caFile, 'utf8') };
  if (mode === 'required') return { ssl: { ...ca, rejectUnauthorized: false } };
  return {
    ssl: { ...ca, rejectUnauthorized: true, verifyIdentity: mode === 'verify-full', servername: host },
  };
}
