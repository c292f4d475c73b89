import { collectOpenFiles, type FileId, groupMembers } from '../staging/process-files.ts';

/** How often the members are looked up again when no caller waits for it. */
export const MEMBERS_SECONDS = 0.25;
/** Looking them up reads all of /proc, so at the most this share of the time goes there. */
const MEMBERS_TIME_SHARE = 0.05;

/**
 * The processes of mydumper. They are unknown until mydumper starts. They get no signal after its
 * exit, since the kernel uses ids again.
 */
export type ProcessGroup = {
  readonly id: () => number | undefined;
  readonly isRunning: () => boolean;
  readonly hasEnded: () => boolean;
  readonly started: (id: number) => void;
  readonly ended: () => void;
  /** As last looked up. */
  readonly members: () => readonly number[];
  /** @returns whether the members are as of now. */
  readonly refresh: (atMostEverySeconds: number) => boolean;
  /**
   * The files that the group has open. `surely` looks for new members first. Undefined when it is
   * too soon for that, or when a member is just ending.
   */
  readonly openFiles: (surely: boolean) => ReadonlySet<FileId> | undefined;
  /** Signals all, so that children of mydumper are reached too. */
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => void;
};

/** `now` gives seconds. */
export function createProcessGroup(now: () => number): ProcessGroup {
  let id: number | undefined;
  let ended = false;
  let members: readonly number[] = [];
  let lookedUpAt = 0;
  let costSeconds = 0;

  const refresh = (atMostEverySeconds: number): boolean => {
    const from = now();
    if (id === undefined || from - lookedUpAt < atMostEverySeconds) return false;
    members = groupMembers(id);
    lookedUpAt = now();
    costSeconds = lookedUpAt - from;
    return true;
  };

  return {
    id: () => id,
    isRunning: () => id !== undefined && !ended,
    hasEnded: () => ended,
    started: (group) => {
      id = group;
      members = [group];
    },
    ended: () => {
      ended = true;
    },
    members: () => members,
    refresh,
    openFiles: (surely) => {
      const wait = surely ? costSeconds / MEMBERS_TIME_SHARE : MEMBERS_SECONDS;
      if (!refresh(wait) && surely) return undefined;
      const open = new Set<FileId>();
      return collectOpenFiles(members, open) ? open : undefined;
    },
    signal: (signal) => {
      if (ended || id === undefined) return;
      try {
        process.kill(-id, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
      }
    },
  };
}
