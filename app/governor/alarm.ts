/** One call to come. Setting it again takes the place of the call set before. */
export type Alarm = {
  /** 0 is as soon as what is under way has ended; a timer takes a millisecond at least. */
  readonly in: (milliseconds: number) => void;
  readonly isSet: () => boolean;
  readonly clear: () => void;
};

export function createAlarm(call: () => void): Alarm {
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  const clear = () => {
    clearTimeout(timer);
    clearImmediate(immediate);
    timer = undefined;
    immediate = undefined;
  };
  const ring = () => {
    clear();
    call();
  };
  return {
    in: (milliseconds) => {
      clear();
      if (milliseconds === 0) immediate = setImmediate(ring);
      else timer = setTimeout(ring, milliseconds);
    },
    isSet: () => timer !== undefined || immediate !== undefined,
    clear,
  };
}
