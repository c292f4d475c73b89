import type { ServerConfig } from '../config.ts';
import { within } from '../within.ts';
import { type Database, killConnection, type Row } from './connection.ts';
import {
  isWaiting,
  openOnMarked,
  type Processes,
  type RunMark,
  readProcesses,
} from './run-mark.ts';

/**
 * While mydumper waits for its lock all who come later wait behind it: this long at the most
 * (invariant 4).
 */
const LONGEST_WAIT_SECONDS = 10;
const LOOK_MILLISECONDS = 500;
/** Nobody waits longer for a server that is out of reach. */
const LAST_LOOK_MILLISECONDS = 2000;
/** Statements by which mydumper takes a lock. */
const TAKES_LOCK =
  /^\s*(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*)*(?:FLUSH\s+(?:\/\*(?:[^*]|\*(?!\/))*\*\/\s*|NO_WRITE_TO_BINLOG\s+|LOCAL\s+)*TABLES|LOCK\s+(?:TABLES|INSTANCE)|BACKUP\s+STAGE)\b/i;

export type LockWait = {
  /** Of the connection that waits. */
  readonly id: number;
  readonly seconds: number;
  /**
   * What it seems to wait for: the statement that has run longest, without its text, which may hold
   * anything.
   */
  readonly behind: string;
};

/**
 * Times waits of mydumper for locks in successive process lists. Pure but for what it remembers.
 * The server's own times are whole seconds, and start anew when the state changes.
 */
export function createLockWaitMeter(): (
  processes: Processes,
  nowSeconds: number,
) => LockWait | undefined {
  let waitingSince = new Map<number, number>();
  return ({ all, dumping }, nowSeconds) => {
    const waiting = all.filter(
      ({ Id, Command, State, Info }) =>
        dumping.has(Number(Id)) &&
        Command === 'Query' &&
        isWaiting(State) &&
        TAKES_LOCK.test(String(Info)),
    );
    waitingSince = new Map(
      waiting.map(({ Id }) => [Number(Id), waitingSince.get(Number(Id)) ?? nowSeconds]),
    );
    const [longest] = [...waitingSince].toSorted(([, left], [, right]) => left - right);
    if (longest === undefined) return undefined;
    return { id: longest[0], seconds: nowSeconds - longest[1], behind: blockerAmong(all) };
  };
}

function blockerAmong(processes: readonly Row[]): string {
  const [longest] = processes
    .filter(
      ({ Command, State, Info }) =>
        Command === 'Query' && !isWaiting(State) && !/^SHOW PROCESSLIST/i.test(String(Info)),
    )
    .toSorted((left, right) => Number(right.Time) - Number(left.Time));
  return longest === undefined
    ? 'a transaction or a statement of which this user cannot see more'
    : `connection ${longest.Id} of ${JSON.stringify(longest.User)}, whose statement has run for ${longest.Time} s`;
}

export type LockWaitWatch = {
  /**
   * Ends the watching. What still waits for a lock by then, as after mydumper was killed, is ended
   * too.
   */
  readonly end: () => Promise<void>;
};

/**
 * Watches, by a connection of its own, how long mydumper waits for its lock, and ends the wait when
 * it lasts too long: calls `onTooLong` first, then kills the waiting session, so that writers go on
 * at once. mydumper's sessions are those with the run's mark.
 * @throws Failure `preflight` when the server that holds the mark cannot be reached.
 */
export async function watchLockWait(
  server: ServerConfig,
  mark: RunMark,
  onTooLong: (wait: LockWait) => void,
  longestSeconds = LONGEST_WAIT_SECONDS,
): Promise<LockWaitWatch> {
  const database = await openOnMarked(server, mark);
  // Lost, it watches no more; mydumper's own connections fare no better then.
  database.onLost(() => {});
  const meter = createLockWaitMeter();
  const look = async () =>
    meter(await readProcesses(database, mark, server.user), performance.now() / 1000);
  let ended: Promise<void> | undefined;
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(async () => {
      const wait = ended === undefined ? await look() : undefined;
      if (wait === undefined || wait.seconds < longestSeconds) return;
      onTooLong(wait);
      await kill(database, wait.id);
    });
    looking = looking.catch(() => {});
  }, LOOK_MILLISECONDS);
  timer.unref();
  const end = async () => {
    clearInterval(timer);
    const left = await within(
      LAST_LOOK_MILLISECONDS,
      looking.then(look).catch(() => undefined),
    );
    if (left !== undefined) await within(LAST_LOOK_MILLISECONDS, kill(database, left.id));
    await database.close();
  };
  return {
    end: () => {
      ended ??= end();
      return ended;
    },
  };
}

/** It may be gone by now. */
async function kill(database: Database, id: number): Promise<void> {
  await killConnection(database, id).catch(() => {});
}
