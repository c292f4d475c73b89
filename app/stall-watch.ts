import { LONG_FACTOR } from './contract.ts';

/** Checks this often, or more often when the limit is short. */
const LOOK_SECONDS = 1;
/** Asks the server again after this time while it is busy. */
const ASK_AGAIN_SECONDS = 30;

/** The work of the server for the tool. */
export type Work = { readonly busy: boolean; readonly what: string };

export type StallOptions = {
  /** The work that is watched, for the message. */
  readonly name: string;
  /** STALL_TIMEOUT_SECONDS. */
  readonly limitSeconds: number;
  /** Whether this program has stopped the tool, so that it cannot do anything. */
  readonly isHeld: () => boolean;
  /** Called when the tool has been idle for the limit. Must settle within a time limit. */
  readonly askServer: () => Promise<Work>;
  /** Called once, with the last activity, after the watch has ended. */
  readonly onStalled: (message: string) => void;
};

export type StallWatch = {
  /** The tool has done something. */
  readonly alive: (what: string) => void;
  readonly end: () => void;
};

/**
 * Watches for a stalled tool: no line of output and no byte written, while this program does not
 * hold it and the server does no work for it. While the server works, the limit is 24 times as
 * long. Time in which this program itself was stopped does not count.
 */
export function watchForStall(options: StallOptions): StallWatch {
  const { name, limitSeconds } = options;
  const periodSeconds = Math.min(LOOK_SECONDS, limitSeconds / 4);
  const longestSeconds = limitSeconds * LONG_FACTOR;
  let last = 'it was started';
  let quietSeconds = 0;
  let askAtSeconds = limitSeconds;
  let asking = false;
  let lookedAt = performance.now();

  const ask = async () => {
    const work = await options.askServer().catch(
      (error: unknown): Work => ({
        busy: false,
        what: `the MySQL server cannot be asked: ${error}`,
      }),
    );
    if (quietSeconds < limitSeconds || ended) return; // the tool was active meanwhile
    if (work.busy && quietSeconds < longestSeconds) {
      askAtSeconds = quietSeconds + Math.min(limitSeconds, ASK_AGAIN_SECONDS);
      return;
    }
    end();
    options.onStalled(
      `${name} has done nothing for ${Math.round(quietSeconds)} s ` +
        `(STALL_TIMEOUT_SECONDS=${limitSeconds}); the last was: ${last}; ${work.what}`,
    );
  };
  const look = () => {
    const now = performance.now();
    // A very late check means that this program was stopped.
    const seconds = Math.min((now - lookedAt) / 1000, 2 * periodSeconds);
    lookedAt = now;
    quietSeconds = options.isHeld() ? 0 : quietSeconds + seconds;
    if (quietSeconds < limitSeconds) askAtSeconds = limitSeconds;
    if (quietSeconds < askAtSeconds || asking) return;
    asking = true;
    void ask().finally(() => {
      asking = false;
    });
  };
  let ended = false;
  const timer = setInterval(look, periodSeconds * 1000);
  timer.unref();
  const end = () => {
    ended = true;
    clearInterval(timer);
  };
  return {
    alive: (what) => {
      last = what;
      quietSeconds = 0;
    },
    end,
  };
}
