import { allStopped } from '../staging/process-files.ts';
import { MEMBERS_SECONDS, type ProcessGroup } from './process-group.ts';
import { stopProcesses } from './stop-signal.ts';

/** A group that does not stop within this time will not: something outside continues it. */
const STOP_DEADLINE_SECONDS = 5;

export type StopCheck = {
  /** Stops the group. */
  readonly stop: () => void;
  /**
   * Looks whether it stands still, and stops what does not. To be called again and again while it
   * should.
   */
  readonly confirm: () => void;
};

/**
 * The kill call says nothing: a signal may be ignored or undone. Only state T in /proc counts.
 * `now` is in seconds.
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
      group.signal('SIGSTOP'); // whatever is not among the known members
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
      else stopProcesses(group.members()); // it has not been scheduled yet, or somebody continued it
    },
  };
}
