import { randomBytes } from 'node:crypto';
import type { ServerConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import type { SessionSettings } from '../mydumper/option-file.ts';
import { type Database, openDatabase, type Row } from './connection.ts';

/**
 * Name of a lock (GET_LOCK) that one connection holds for a run. Such a lock belongs to one server,
 * so a connection that sees the lock reached the same server, even through a proxy. It needs no
 * privilege, and distinguishes two servers that share every name and number.
 */
export type RunMark = string;

/**
 * MySQL refuses lock names of more than 64 characters; a session's number takes up to 20 of them.
 */
export function newRunMark(): RunMark {
  return `mydumper-fargate-run:${randomBytes(8).toString('hex')}`;
}

/**
 * A part of MySQL's error when a session of mydumper does not see the mark. It is the same in every
 * language of the server's messages.
 */
export const MARK_NOT_SEEN = 'another server than the backup began with';

/**
 * A setting for each connection of mydumper. A server without the mark refuses it, so the
 * connection fails. On the server with the mark the session takes a lock of its own, which
 * identifies it as mydumper's. mydumper does not use the variable. ProxySQL keeps no list of its
 * values, so it passes the statement on.
 */
export function markSession(mark: RunMark): SessionSettings {
  const unseen = `IS_USED_LOCK('${mark}') IS NULL`;
  const untaken = `GET_LOCK(CONCAT('${mark}:', CONNECTION_ID()), 0) <> 1`;
  return { completion_type: `IF(${unseen} OR ${untaken}, '${MARK_NOT_SEEN}', @@completion_type)` };
}

/** Whether the connection reaches the server that holds the mark. */
async function seesMark(database: Database, mark: RunMark): Promise<boolean> {
  const [row] = await database.query('SELECT IS_USED_LOCK(?) AS holder', [mark]);
  return row?.holder !== null;
}

/**
 * Opens a connection to the server that holds the mark.
 * @throws Failure `preflight` when it cannot be opened or reaches another server.
 */
export async function openOnMarked(server: ServerConfig, mark: RunMark): Promise<Database> {
  const database = await openDatabase(server);
  try {
    if (await seesMark(database, mark)) return database;
    throw new Failure(
      'preflight',
      `${addressOf(server)}: a connection reached ${MARK_NOT_SEEN}; ${ONE_SERVER}`,
    );
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A process list, and the numbers of mydumper's waiting sessions in it. */
export type Processes = { readonly all: readonly Row[]; readonly dumping: ReadonlySet<number> };

/** Needs no privilege: a user always sees his own sessions. */
export async function readProcesses(
  database: Database,
  mark: RunMark,
  user: string,
): Promise<Processes> {
  const all = await database.query('SHOW PROCESSLIST');
  const waiting = all
    .filter(({ User, State }) => User === user && isWaiting(State))
    .map(({ Id }) => Number(Id));
  if (waiting.length === 0) return { all, dumping: new Set() };
  const columns = waiting.map((id) => `IS_USED_LOCK(?) AS \`${id}\``).join(', ');
  const [holders] = await database.query(
    `SELECT ${columns}`,
    waiting.map((id) => `${mark}:${id}`),
  );
  return { all, dumping: new Set(waiting.filter((id) => Number(holders?.[id]) === id)) };
}

/** Whether the process list's `State` says that the session waits for a lock. */
export function isWaiting(state: Row[string] | undefined): boolean {
  return /^Waiting for /.test(String(state));
}

/** The variables with which the user named the server, for messages. */
export function addressOf({ host, port, socket }: ServerConfig): string {
  return socket === undefined ? `HOST=${JSON.stringify(host)} PORT=${port}` : `SOCKET="${socket}"`;
}

/** The remedy if a name leads to several servers, for messages. */
export const ONE_SERVER =
  'locks and snapshots hold in one server only, so set HOST and PORT to the address of one server';
