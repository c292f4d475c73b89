import { askForWork } from '../database/work.ts';
import { Failure } from '../errors.ts';
import type { WatchStats } from '../governor/protocol.ts';
import type { MydumperEvent } from '../mydumper/log-reader.ts';
import { allStopped } from '../staging/process-files.ts';
import { watchForStall } from '../stall-watch.ts';
import type { DumpContext } from './dump.ts';

export type DumpStall = {
  readonly said: (event: MydumperEvent) => void;
  readonly wrote: (stats: WatchStats) => void;
  readonly end: () => void;
};

/**
 * Ends the run when mydumper neither says nor writes anything for STALL_TIMEOUT_SECONDS, is not
 * paused, and the server does nothing for it. A lock that it waits for has a bound of its own, far
 * below (see lock-wait.ts), or is a wait within the server.
 */
export function watchForDumpStall({ config, mark, run }: DumpContext, pid: number): DumpStall {
  let dumpedBytes = 0;
  let paused = false;
  const watch = watchForStall({
    name: 'mydumper',
    limitSeconds: config.dump.stallTimeoutSeconds,
    isHeld: () => paused,
    askServer: async () => {
      // Stopped by others: whatever the server has for it, it will not take it.
      if (allStopped([pid]))
        return { busy: false, what: 'something outside has stopped its process' };
      return askForWork(config.server, mark);
    },
    onStalled: (message) => run.fail(new Failure('dump', message)),
  });
  return {
    said: (event) => watch.alive('message' in event ? JSON.stringify(event.message) : event.kind),
    wrote: (stats) => {
      paused = stats.stopped;
      if (stats.dumpedBytes === dumpedBytes) return;
      dumpedBytes = stats.dumpedBytes;
      watch.alive(`it had written ${dumpedBytes} bytes`);
    },
    end: watch.end,
  };
}
