import type { ServerConfig } from '../config.ts';
import { type ProcessWatch, watchProcesses } from './process-watch.ts';
import type { Processes, RunMark } from './run-mark.ts';

const LONGEST_STANDSTILL_SECONDS = 10;
const LOOK_MILLISECONDS = 2000;
const WAITS_FOR_TABLE = 'Waiting for table metadata lock';

/**
 * Times a standstill in successive process lists: mydumper waits for a table that another session
 * has locked, and that session waits for a table that mydumper's snapshot holds. Threads of one
 * dump wait for each other outside the server, so the server does not see the deadlock.
 * `LOCK TABLES a WRITE, b WRITE` and `RENAME TABLE a TO b, c TO d` have been seen to cause it.
 * Pure, but for the beginning that it remembers.
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

/**
 * Watches for a standstill. It sees one only if the user has PROCESS. Calls `onStandstill` after
 * ten seconds of standstill: only mydumper's end resolves it. mydumper's sessions are those with
 * the run's mark.
 * @throws Failure `preflight` when the server that holds the mark cannot be reached.
 */
export async function watchStandstill(
  server: ServerConfig,
  mark: RunMark,
  onStandstill: (seconds: number) => void,
  longestSeconds = LONGEST_STANDSTILL_SECONDS,
): Promise<ProcessWatch> {
  const meter = createStandstillMeter();
  return await watchProcesses(server, mark, LOOK_MILLISECONDS, (processes) => {
    const seconds = meter(processes, performance.now() / 1000);
    if (seconds !== undefined && seconds >= longestSeconds) onStandstill(seconds);
  });
}
