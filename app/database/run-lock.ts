import { createHash } from 'node:crypto';
import type { ServerConfig } from '../config.ts';
import { Failure, messageOf } from '../errors.ts';
import { within } from '../within.ts';
import { type Database, killConnection, openDatabase } from './connection.ts';
import { mayBeSame, readIdentity, type ServerIdentity } from './one-server.ts';
import { addressOf, ONE_SERVER, type RunMark } from './run-mark.ts';

/** MySQL refuses longer lock names (GET_LOCK in its manual). */
const LONGEST_NAME = 64;
/** Shorter than the idle limits of servers and of network paths (350 s on AWS). */
const KEEP_ALIVE_MILLISECONDS = 60_000;

/** A healthy server answers these statements at once, and the run continues meanwhile. */
const ANSWER_SECONDS = 30;

/** The server releases the locks of a killed connection after a moment. */
const SECONDS_TO_LET_GO = 5;

/** Ties the lock to the server that preflight has checked. */
type Bound = {
  /** The connection that holds the lock also holds this mark. */
  readonly mark: RunMark;
  readonly identity: ServerIdentity;
};

export type RunLock = {
  /** The lock is free afterwards. With a server out of reach it ends after a few seconds. */
  readonly release: () => Promise<void>;
};

/** Work that only one run at a time may do on a server. */
export type Exclusive = {
  /** The name of the lock in the server. */
  readonly name: string;
  /** The locked work, for messages. */
  readonly what: string;
  /** The work of another holder, for messages. */
  readonly other: string;
};

/** Backing up a source. */
export function backupOf(source: string): Exclusive {
  return {
    name: sourceLockName(source),
    what: `source ${source}`,
    other: `another run for source ${source} is active`,
  };
}

function sourceLockName(source: string): string {
  const name = `mydumper-fargate:${source}`;
  if (name.length <= LONGEST_NAME) return name;
  return `mydumper-fargate:${createHash('sha256').update(source).digest('hex').slice(0, 40)}`;
}

/**
 * Restoring any backup into the server. The lock of a source never has this name, since the name
 * has no colon.
 */
export const RESTORING: Exclusive = {
  name: 'mydumper-fargate-restore',
  what: 'restores into this server',
  other: 'another restore into this server is running',
};

/**
 * Takes a lock in the server, so that only one run works at a time. The lock ends with its
 * connection, so a killed run does not block the next one. When the connection is lost or stops
 * answering, this takes the lock again. If that fails, it tries again at each keep-alive. Calls
 * `onTaken` when another run has taken the lock first, or when the connection now leads to another
 * server.
 * @throws Failure `preflight` when another run holds it, or it is another server than `bound` says.
 */
export async function takeRunLock(
  server: ServerConfig,
  exclusive: Exclusive,
  onWarning: (message: string) => void,
  onTaken: (failure: Failure) => void,
  {
    keepAliveMilliseconds = KEEP_ALIVE_MILLISECONDS,
    answerSeconds = ANSWER_SECONDS,
    bound,
  }: { keepAliveMilliseconds?: number; answerSeconds?: number; bound?: Bound } = {},
): Promise<RunLock> {
  const patient = {
    ...server,
    queryTimeoutSeconds: Math.min(server.queryTimeoutSeconds, answerSeconds),
  };
  let released = false;
  let reacquiring = false;
  let connection = await acquire(patient, exclusive, bound).catch((error: unknown) => {
    if (error instanceof Failure) throw error;
    const message = `cannot take the lock on ${exclusive.what}: ${messageOf(error)}`;
    throw new Failure('preflight', message, { cause: error });
  });

  const again = async (error: unknown) => {
    if (released || reacquiring) return;
    reacquiring = true;
    onWarning(
      `the connection holding the lock on ${exclusive.what} was lost (${messageOf(error)}); ` +
        'taking it again',
    );
    await connection.close();
    try {
      connection = await acquire(patient, exclusive, bound, connection.id);
      if (released) await connection.close();
      else connection.onLost(again);
    } catch (failure) {
      const isFinal = failure instanceof RunActive || failure instanceof OtherServer;
      if (isFinal && !released) onTaken(failure);
      else if (!released)
        onWarning(`the lock on ${exclusive.what} could not be taken again: ${messageOf(failure)}`);
    } finally {
      reacquiring = false;
    }
  };
  connection.onLost(again);
  const timer = setInterval(() => {
    const asked = connection;
    asked.query('DO 1').catch((error: unknown) => {
      // Otherwise a new connection has replaced it already.
      if (asked === connection) void again(error);
    });
  }, keepAliveMilliseconds);
  timer.unref();

  return {
    release: async () => {
      released = true;
      clearInterval(timer);
      // The server frees the locks of a closed connection only after a moment.
      const releasing = connection.query('DO RELEASE_LOCK(?)', [exclusive.name]).catch(() => {});
      await within(SECONDS_TO_LET_GO * 1000, releasing);
      await connection.close();
    },
  };
}

/**
 * Takes the lock. `lostId` is our lost connection: the server may still count it as the holder.
 */
async function acquire(
  server: ServerConfig,
  exclusive: Exclusive,
  bound: Bound | undefined,
  lostId?: number,
): Promise<Database> {
  const connection = await openDatabase(server);
  try {
    if (bound !== undefined) await requireSame(server, connection, bound, lostId !== undefined);
    if (!(await getLockFrom(connection, exclusive.name, lostId))) throw new RunActive(exclusive);
    if (bound !== undefined && !(await getLock(connection, bound.mark, SECONDS_TO_LET_GO)))
      throw new Error(`the lock "${bound.mark}" of this run is held by another connection`);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

async function requireSame(
  server: ServerConfig,
  connection: Database,
  { identity }: Bound,
  runs: boolean,
): Promise<void> {
  const now = await readIdentity(connection);
  if (!mayBeSame(identity, now)) throw new OtherServer(server, identity, now, runs);
}

/** A lock that its holder releases between the two statements is free, not another run's. */
async function getLockFrom(connection: Database, name: string, lostId?: number): Promise<boolean> {
  if (await getLock(connection, name, 0)) return true;
  const [row] = await connection.query('SELECT IS_USED_LOCK(?) AS holder', [name]);
  const isFree = row?.holder === null;
  const isLost = !isFree && Number(row?.holder) === lostId;
  // The connection may be gone by now.
  if (isLost) await killConnection(connection, Number(lostId)).catch(() => {});
  return (isFree || isLost) && (await getLock(connection, name, SECONDS_TO_LET_GO));
}

async function getLock(
  connection: Database,
  name: string,
  retryAfterSeconds: number,
): Promise<boolean> {
  const [row] = await connection.query('SELECT GET_LOCK(?, ?) AS taken', [name, retryAfterSeconds]);
  return Number(row?.taken) === 1;
}

class RunActive extends Failure {
  constructor({ name, other }: Exclusive) {
    super('preflight', `${other} (it holds the lock "${name}"); wait for it to end`);
  }
}

class OtherServer extends Failure {
  constructor(server: ServerConfig, before: ServerIdentity, now: ServerIdentity, runs: boolean) {
    const change =
      before.name === now.name
        ? `${now.name} was restarted, or there are several servers of that name`
        : `they led to ${before.name} before and lead to ${now.name} now`;
    super(runs ? 'dump' : 'preflight', `${addressOf(server)}: ${change}; ${ONE_SERVER}`);
  }
}
