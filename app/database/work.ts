import type { ServerConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Work } from '../stall-watch.ts';
import { openDatabase, type Row } from './connection.ts';
import { openOnMarked, type RunMark } from './run-mark.ts';

/** Longer is no answer, whatever QUERY_TIMEOUT_SECONDS allows. */
const ASK_SECONDS = 10;
/** The server has rows and nobody takes them: that is not the server's work. */
const UNREAD = /^(?:Writing to net|Sending to client)$/i;

/**
 * Whether the server does something for `user`, or has a statement of his wait for a lock. Pure.
 */
export function workAmong(processes: readonly Row[], user: string, ownId: number): Work {
  const [longest] = processes
    .filter(
      ({ Id, User, Command, State }) =>
        Number(Id) !== ownId && User === user && Command === 'Query' && !UNREAD.test(String(State)),
    )
    .toSorted((left, right) => Number(right.Time) - Number(left.Time));
  if (longest === undefined) return { busy: false, what: 'the MySQL server does nothing for it' };
  const { Id, State, Time } = longest;
  return {
    busy: true,
    what: `the MySQL server works for connection ${Id} since ${Time} s (${State === '' || State === null ? 'no state' : State})`,
  };
}

/**
 * Asks by a connection of its own, to the server with the mark if there is one. Settles within
 * twenty seconds.
 */
export async function askForWork(server: ServerConfig, mark?: RunMark): Promise<Work> {
  const queryTimeoutSeconds = Math.min(ASK_SECONDS, server.queryTimeoutSeconds);
  try {
    const asked = { ...server, queryTimeoutSeconds };
    const database =
      mark === undefined ? await openDatabase(asked) : await openOnMarked(asked, mark);
    try {
      return workAmong(await database.query('SHOW PROCESSLIST'), server.user, database.id);
    } finally {
      await database.close();
    }
  } catch (error) {
    return { busy: false, what: `the MySQL server cannot be asked: ${messageOf(error)}` };
  }
}
