import { LONG_FACTOR } from './contract.ts';

/** Looks this often, or more often where the limit is short. */
const LOOK_SECONDS = 1;
/** While the server is at work it is asked again after this time. */
const ASK_AGAIN_SECONDS = 30;

/** What the server does for the tool. */
export type Work = { readonly busy: boolean; readonly what: string };

export type StallOptions = {
  /** `mydumper` or `myloader`. */
  readonly name: string;
  /** STALL_TIMEOUT_SECONDS. */
  readonly limitSeconds: number;
  /** It is stopped by us, and cannot do anything. */
  readonly isHeld: () => boolean;
  /** Asked when it has done nothing for the limit. Must settle within a bound. */
  readonly askServer: () => Promise<Work>;
  /** Called once, with what it last did. The watching has ended. */
  readonly onStalled: (message: string) => void;
};

export type StallWatch = {
  /** It has done something. */
  readonly alive: (what: string) => void;
  readonly end: () => void;
};

/**
 * Watches for a tool that does nothing any more: no line of output, no byte written, though it is
 * not held, and the server does nothing for it either. While the server does, it may take 24 times
 * as long. Time in which we ourselves were stopped does not count.
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
    if (quietSeconds < limitSeconds || ended) return; // it has gone on meanwhile
    if (work.busy && quietSeconds < longestSeconds) {
      askAtSeconds = quietSeconds + Math.min(limitSeconds, ASK_AGAIN_SECONDS);
      return;
    }
    end();
    options.onStalled(
      `${name} has done nothing for ${Math.round(quietSeconds)} s (STALL_TIMEOUT_SECONDS=${limitSeconds}); the last was: ${last}; ${work.what}`,
    );
  };
  const look = () => {
    const now = performance.now();
    // A look that comes very late comes after we were stopped.
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
