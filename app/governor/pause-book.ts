import type { WatchStats } from './protocol.ts';

export type PauseTotals = Pick<
  WatchStats,
  'stopped' | 'pauses' | 'pausedSeconds' | 'longestPauseSeconds' | 'lockedStopSeconds'
>;

/** Keeps account of mydumper's pauses. Times are seconds of one clock. */
export type PauseBook = {
  /** When the pause began that lasts; undefined while mydumper runs. */
  readonly since: () => number | undefined;
  readonly begin: (seconds: number) => void;
  /** @returns how long the pause lasted; 0 when there was none. */
  readonly end: (seconds: number) => number;
  readonly isLocked: () => boolean;
  /** From now on no writer waits for a stopped mydumper. */
  readonly locksReleased: (seconds: number) => void;
  /** The pause that lasts included. */
  readonly totals: (seconds: number) => PauseTotals;
};

/** `locked`: mydumper holds locks from its start on. */
export function createPauseBook(locked: boolean): PauseBook {
  let isLocked = locked;
  let since: number | undefined;
  let pauses = 0;
  let pausedSeconds = 0;
  let longestPauseSeconds = 0;
  let lockedStopSeconds = 0;
  const pausing = (seconds: number) => (since === undefined ? 0 : seconds - since);
  return {
    since: () => since,
    begin: (seconds) => {
      since = seconds;
      pauses += 1;
    },
    end: (seconds) => {
      const lasted = pausing(seconds);
      pausedSeconds += lasted;
      longestPauseSeconds = Math.max(longestPauseSeconds, lasted);
      if (isLocked) lockedStopSeconds += lasted;
      since = undefined;
      return lasted;
    },
    isLocked: () => isLocked,
    locksReleased: (seconds) => {
      if (isLocked) lockedStopSeconds += pausing(seconds);
      isLocked = false;
    },
    totals: (seconds) => ({
      stopped: since !== undefined,
      pauses,
      pausedSeconds: pausedSeconds + pausing(seconds),
      longestPauseSeconds: Math.max(longestPauseSeconds, pausing(seconds)),
      lockedStopSeconds: lockedStopSeconds + (isLocked ? pausing(seconds) : 0),
    }),
  };
}
