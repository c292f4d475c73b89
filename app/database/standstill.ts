import type { ServerConfig } from '../config.ts';
import { openOnMarked, type Processes, type RunMark, readProcesses } from './run-mark.ts';

const LONGEST_STANDSTILL_SECONDS = 10;
const LOOK_MILLISECONDS = 2000;
const WAITS_FOR_TABLE = 'Waiting for table metadata lock';

/**
 * Times a standstill in successive process lists: mydumper waits for a table that another session
 * has locked, and that session waits for a table that mydumper's snapshot holds. Threads of one
 * dump wait for each other outside the server, so it does not see the deadlock. `LOCK TABLES a
 * WRITE, b WRITE` and `RENAME TABLE a TO b, c TO d` have been seen to cause it. Pure but for what
 * it remembers.
 */
export function createStandstillMeter(): (
  processes: Processes,
  nowSeconds: number,
) => number | undefined {
  let began: number | undefined;
  return ({ all, dumping }, nowSeconds) => {
    const waiting = all.filter(({ State }) => State === WAITS_FOR_TABLE);
    const ours = waiting.filter(({ Id }) => dumping.has(Number(Id)));
    const stands = ours.length > 0 && waiting.length > ours.length;
    began = stands ? (began ?? nowSeconds) : undefined;
    return began === undefined ? undefined : nowSeconds - began;
  };
}

export type StandstillWatch = { readonly end: () => Promise<void> };

/**
 * Watches for a standstill by a connection of its own. Sees it only where the user has PROCESS.
 * `onStandstill` is called once it has lasted ten seconds: only mydumper's end resolves it.
 * mydumper's sessions are those with the run's mark.
 * @throws Failure `preflight` when the server that holds the mark cannot be reached.
 */
export async function watchStandstill(
  server: ServerConfig,
  mark: RunMark,
  onStandstill: (seconds: number) => void,
  longestSeconds = LONGEST_STANDSTILL_SECONDS,
): Promise<StandstillWatch> {
  const database = await openOnMarked(server, mark);
  database.onLost(() => {});
  const meter = createStandstillMeter();
  let looking = false;
  const look = async () => {
    const processes = await readProcesses(database, mark, server.user);
    const seconds = meter(processes, performance.now() / 1000);
    if (seconds !== undefined && seconds >= longestSeconds) onStandstill(seconds);
  };
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    look()
      .catch(() => {})
      .finally(() => {
        looking = false;
      });
  }, LOOK_MILLISECONDS);
  timer.unref();
  return {
    end: async () => {
      clearInterval(timer);
      await database.close();
    },
  };
}
