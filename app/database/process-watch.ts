import type { ServerConfig } from '../config.ts';
import { within } from '../within.ts';
import type { Database } from './connection.ts';
import { openOnMarked, type Processes, type RunMark, readProcesses } from './run-mark.ts';

/** How long the end of a watch waits for a server that does not answer. */
const LAST_LOOK_MILLISECONDS = 2000;

type OnProcesses = (processes: Processes, database: Database) => Promise<void> | void;

export type ProcessWatch = {
  /** Ends the watch. `last` gets one more look, unless the server is silent for two seconds. */
  readonly end: (last?: OnProcesses) => Promise<void>;
};

/**
 * Reads the server's process list again and again on its own connection, one look at a time. After
 * a failed look, as when the connection is lost, the next look opens a new connection.
 * @throws Failure `preflight` when the server that holds the mark cannot be reached at the start.
 */
export async function watchProcesses(
  server: ServerConfig,
  mark: RunMark,
  everyMilliseconds: number,
  onProcesses: OnProcesses,
): Promise<ProcessWatch> {
  let ended = false;
  let looking: Promise<void> | undefined;
  const open = async () => {
    const opened = await openOnMarked(server, mark);
    opened.onLost(() => {});
    return opened;
  };
  let database: Database | undefined = await open();

  const close = async () => {
    const closing = database;
    database = undefined;
    await closing?.close();
  };
  const look = async (use: OnProcesses) => {
    try {
      database ??= await open();
      await use(await readProcesses(database, mark, server.user), database);
    } catch {
      await close(); // the run's own connections report what is wrong with the server
    } finally {
      if (ended) await close();
    }
  };
  const timer = setInterval(() => {
    looking ??= look(onProcesses).finally(() => {
      looking = undefined;
    });
  }, everyMilliseconds);
  timer.unref();

  return {
    end: async (last) => {
      clearInterval(timer);
      const lastLook = async () => {
        await looking;
        if (last !== undefined) await look(last);
      };
      await within(LAST_LOOK_MILLISECONDS, lastLook());
      ended = true;
      await close();
    },
  };
}
