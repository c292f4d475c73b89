import type { ServerConfig } from '../config.ts';
import { messageOf } from '../errors.ts';
import type { Work } from '../stall-watch.ts';
import { openDatabase, type Row } from './connection.ts';
import { openOnMarked, type RunMark } from './run-mark.ts';

/** The longest wait for an answer, even if QUERY_TIMEOUT_SECONDS allows more. */
const ASK_SECONDS = 10;
/** The server has rows that the client does not read: the server does no work then. */
const UNREAD = /^(?:Writing to net|Sending to client)$/i;

/** Whether a statement of `user` runs in the server or waits there for a lock. Pure. */
export function workAmong(processes: readonly Row[], user: string, ownId: number): Work {
  const [longest] = processes
    .filter(
      ({ Id, User, Command, State }) =>
        Number(Id) !== ownId && User === user && Command === 'Query' && !UNREAD.test(String(State)),
    )
    .toSorted((left, right) => Number(right.Time) - Number(left.Time));
  if (longest === undefined) return { busy: false, what: 'the MySQL server does nothing for it' };
  const { Id, State, Time } = longest;
  const state = State === '' || State === null ? 'no state' : State;
  return {
    busy: true,
    what: `the MySQL server works for connection ${Id} since ${Time} s (${state})`,
  };
}

/**
 * Asks on its own connection, and if there is a mark only the server that holds it. Settles within
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
