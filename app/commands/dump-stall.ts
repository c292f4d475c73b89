import { askForWork } from '../database/work.ts';
import { Failure } from '../errors.ts';
import type { WatchStats } from '../governor/protocol.ts';
import type { MydumperEvent } from '../mydumper/log-reader.ts';
import { allStopped } from '../staging/process-files.ts';
import { watchForStall } from '../stall-watch.ts';
import type { DumpContext } from './dump-context.ts';

export type DumpStall = {
  readonly said: (event: MydumperEvent) => void;
  readonly wrote: (stats: WatchStats) => void;
  readonly end: () => void;
};

/**
 * Ends the run when mydumper stalls: for STALL_TIMEOUT_SECONDS it logs and writes nothing, is not
 * paused, and the server does no work for it. Waits for locks do not count here. They have a much
 * lower limit (see lock-wait.ts), or are waits within the server.
 */
export function watchForDumpStall({ config, mark, run }: DumpContext, pid: number): DumpStall {
  let dumpedBytes = 0;
  let paused = false;
  const watch = watchForStall({
    name: 'mydumper',
    limitSeconds: config.dump.stallTimeoutSeconds,
    isHeld: () => paused,
    askServer: async () => {
      // Another program has stopped mydumper: it will not take a result from the server.
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
