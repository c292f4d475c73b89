export type TailState = { readonly sizeBytes: number; readonly closed: boolean };

/** How much of a file may be read, as far as is known; it changes while mydumper writes it. */
export type Tail = {
  readonly now: () => TailState;
  /**
   * Resolves when there is something new since `seen`: growth, the close, or a press.
   * @throws the reason it was cut for.
   */
  readonly changed: (seen: TailState) => Promise<void>;
  /**
   * Whether a press is to be answered: what was read should go up though it fills no part. Asking
   * takes it back.
   */
  readonly takePress: () => boolean;
  readonly update: (sizeBytes: number, closed: boolean) => void;
  readonly press: () => void;
  /** Nothing more will come; whoever waits is told. */
  readonly cut: (reason: Error) => void;
};

export function createTail(sizeBytes: number, closed: boolean): Tail {
  let state: TailState = { sizeBytes, closed };
  let pressed = false;
  let cutReason: Error | undefined;
  let news = Promise.withResolvers<void>();
  const tell = () => {
    news.resolve();
    news = Promise.withResolvers<void>();
  };
  return {
    now: () => state,
    changed: async (seen) => {
      if (cutReason === undefined && state === seen && !pressed) await news.promise;
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
      tell();
    },
    press: () => {
      pressed = true;
      tell();
    },
    cut: (reason) => {
      cutReason ??= reason;
      tell();
    },
  };
}
