import type { ServerConfig } from '../config.ts';
import { within } from '../within.ts';
import { type Database, openDatabase, type Row } from './connection.ts';

/** While mydumper waits for its lock all who come later wait behind it: this long at the most (invariant 4). */
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
  /** What it seems to wait for: the statement that has run longest, without its text, which may hold anything. */
  readonly behind: string;
};

/**
 * Times waits for locks in successive process lists: by connections younger than `since`, of `user`. Pure but for what it remembers.
 * The server's own times are whole seconds, and start anew when the state changes.
 */
export function createLockWaitMeter(
  since: number,
  user: string,
): (processes: readonly Row[], nowSeconds: number) => LockWait | undefined {
  let waitingSince = new Map<number, number>();
  return (processes, nowSeconds) => {
    const waiting = processes.filter(
      ({ Id, User, Command, State, Info }) =>
        Number(Id) > since &&
        User === user &&
        Command === 'Query' &&
        /^Waiting for /.test(String(State)) &&
        TAKES_LOCK.test(String(Info)),
    );
    waitingSince = new Map(waiting.map(({ Id }) => [Number(Id), waitingSince.get(Number(Id)) ?? nowSeconds]));
    const [longest] = [...waitingSince].toSorted(([, left], [, right]) => left - right);
    if (longest === undefined) return undefined;
    return { id: longest[0], seconds: nowSeconds - longest[1], behind: blockerAmong(processes) };
  };
}

function blockerAmong(processes: readonly Row[]): string {
  const [longest] = processes
    .filter(
      ({ Command, State, Info }) =>
        Command === 'Query' &&
        !/^Waiting for /.test(String(State)) &&
        !/^SHOW PROCESSLIST/i.test(String(Info)),
    )
    .toSorted((left, right) => Number(right.Time) - Number(left.Time));
  return longest === undefined
    ? 'a transaction or a statement of which this user cannot see more'
    : `connection ${longest.Id} of ${JSON.stringify(longest.User)}, whose statement has run for ${longest.Time} s`;
}

export type LockWaitWatch = {
  /** Ends the watching. What still waits for a lock by then, as after mydumper was killed, is ended too. */
  readonly end: () => Promise<void>;
};

/**
 * Watches, by a connection of its own opened before mydumper's, how long mydumper waits for its lock, and ends the wait when it lasts too
 * long: `onTooLong` is called first, then the waiting statement is killed, so that writers go on at once.
 * @throws Failure `preflight` when the server cannot be reached.
 */
export async function watchLockWait(
  server: ServerConfig,
  onTooLong: (wait: LockWait) => void,
  longestSeconds = LONGEST_WAIT_SECONDS,
): Promise<LockWaitWatch> {
  const database = await openDatabase(server);
  // Lost, it watches no more; mydumper's own connections fare no better then.
  database.onLost(() => {});
  const meter = createLockWaitMeter(database.id, server.user);
  const look = async () => meter(await database.query('SHOW PROCESSLIST'), performance.now() / 1000);
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

/** A user may always kill connections of his own. It may be gone by now. */
async function kill(database: Database, id: number): Promise<void> {
  await database.query(`KILL ${id}`).catch(() => {});
}
