import { createNews } from '../news.ts';

export type TailState = { readonly sizeBytes: number; readonly closed: boolean };

/** How much of a file may be read, as far as is known; it changes while mydumper writes it. */
export type Tail = {
  readonly now: () => TailState;
  /**
   * Resolves on news since `seen`: growth, the close, or a press.
   * @throws the reason given to `cut`.
   */
  readonly changed: (seen: TailState) => Promise<void>;
  /**
   * Whether a press is pending: the bytes read so far should be uploaded although they fill no
   * part. The call clears the press.
   */
  readonly takePress: () => boolean;
  readonly update: (sizeBytes: number, closed: boolean) => void;
  readonly press: () => void;
  /** Ends the tail: waiting and later calls of `changed` throw the reason. */
  readonly cut: (reason: Error) => void;
};

export function createTail(sizeBytes: number, closed: boolean): Tail {
  let state: TailState = { sizeBytes, closed };
  let pressed = false;
  let cutReason: Error | undefined;
  const { next, notify } = createNews();
  return {
    now: () => state,
    changed: async (seen) => {
      if (cutReason === undefined && state === seen && !pressed) await next();
      if (cutReason !== undefined) throw cutReason;
    },
    takePress: () => {
      const taken = pressed;
      pressed = false;
      return taken;
    },
    update: (nextBytes, nowClosed) => {
      state = {
        sizeBytes: Math.max(state.sizeBytes, nextBytes),
        closed: state.closed || nowClosed,
      };
      notify();
    },
    press: () => {
      pressed = true;
      notify();
    },
    cut: (reason) => {
      cutReason ??= reason;
      notify();
    },
  };
}
