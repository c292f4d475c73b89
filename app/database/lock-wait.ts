import type { ServerConfig } from '../config.ts';
import { type Database, killConnection, type Row } from './connection.ts';
import { watchProcesses } from './process-watch.ts';
import { isWaiting, type Processes, type RunMark } from './run-mark.ts';

/**
 * While mydumper waits for its lock, later writers wait behind it. They wait no longer than this
 * (invariant 4).
 */
const LONGEST_WAIT_SECONDS = 10;
const LOOK_MILLISECONDS = 500;
const COMMENT = /\/\*(?:[^*]|\*(?!\/))*\*\/\s*/.source;
/** Statements with which mydumper takes a lock. */
const TAKES_LOCK = new RegExp(
  `^\\s*(?:${COMMENT})*(?:` +
    `FLUSH\\s+(?:${COMMENT}|NO_WRITE_TO_BINLOG\\s+|LOCAL\\s+)*TABLES|` +
    'LOCK\\s+(?:TABLES|INSTANCE)|BACKUP\\s+STAGE)\\b',
  'i',
);

export type LockWait = {
  /** Of the connection that waits. */
  readonly id: number;
  readonly seconds: number;
  /**
   * The likely cause: the statement that has run longest. Its text is left out, since it may hold
   * anything.
   */
  readonly behind: string;
};

/**
 * Times waits of mydumper for locks in successive process lists. Pure, but for the waits that it
 * remembers. The server's own times are whole seconds, and start again when the state changes.
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
    : `connection ${longest.Id} of ${JSON.stringify(longest.User)}, ` +
        `whose statement has run for ${longest.Time} s`;
}

export type LockWaitWatch = {
  /**
   * Ends the watch. Also kills a session that still waits for a lock, as after mydumper was killed.
   */
  readonly end: () => Promise<void>;
};

/**
 * Watches how long mydumper waits for its lock, and ends a wait that lasts too long: calls
 * `onTooLong` first, then kills the waiting session, so that writers continue at once. mydumper's
 * sessions are those with the run's mark.
 * @throws Failure `preflight` when the server that holds the mark cannot be reached.
 */
export async function watchLockWait(
  server: ServerConfig,
  mark: RunMark,
  onTooLong: (wait: LockWait) => void,
  longestSeconds = LONGEST_WAIT_SECONDS,
): Promise<LockWaitWatch> {
  const measure = createLockWaitMeter();
  const meter = (processes: Processes) => measure(processes, performance.now() / 1000);
  let ended: Promise<void> | undefined;
  const watch = await watchProcesses(
    server,
    mark,
    LOOK_MILLISECONDS,
    async (processes, database) => {
      const wait = meter(processes);
      if (ended !== undefined || wait === undefined || wait.seconds < longestSeconds) return;
      onTooLong(wait);
      await kill(database, wait.id);
    },
  );
  return {
    end: () => {
      ended ??= watch.end(async (processes, database) => {
        const left = meter(processes);
        if (left !== undefined) await kill(database, left.id);
      });
      return ended;
    },
  };
}

/** Ignores errors: the session may be gone by now. */
async function kill(database: Database, id: number): Promise<void> {
  await killConnection(database, id).catch(() => {});
}
