import { allStopped } from '../staging/process-files.ts';
import { MEMBERS_SECONDS, type ProcessGroup } from './process-group.ts';
import { stopProcesses } from './stop-signal.ts';

/** A group that does not stop within this time will not: something outside continues it. */
const STOP_DEADLINE_SECONDS = 5;

export type StopCheck = {
  /** Stops the group. */
  readonly stop: () => void;
  /**
   * Checks that the group is stopped, and stops each member that runs. The caller repeats it while
   * the group should be stopped.
   */
  readonly confirm: () => void;
};

/**
 * Makes sure that a stop takes effect. The kill call proves nothing: a process may ignore or undo a
 * signal. Only state T in /proc counts. `now` is in seconds.
 */
export function createStopCheck(
  group: ProcessGroup,
  now: () => number,
  onRestless: () => void,
): StopCheck {
  let confirmedAt: number | undefined;
  /** Since when it runs though it should stand still. */
  let restlessAt: number | undefined;
  return {
    stop: () => {
      stopProcesses(group.members());
      group.signal('SIGSTOP'); // for members that are not known yet
      confirmedAt = undefined;
      restlessAt = undefined;
    },
    confirm: () => {
      if (confirmedAt !== undefined && now() - confirmedAt < MEMBERS_SECONDS) return;
      group.refresh(MEMBERS_SECONDS);
      if (allStopped(group.members())) {
        confirmedAt = now();
        restlessAt = undefined;
        return;
      }
      confirmedAt = undefined;
      restlessAt ??= now();
      if (now() - restlessAt > STOP_DEADLINE_SECONDS) onRestless();
      // The kernel has not scheduled it yet, or another process has continued it.
      else stopProcesses(group.members());
    },
  };
}
