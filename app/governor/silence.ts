const LOOK_MILLISECONDS = 5000;
/** Looks in a row without a word. */
const SILENT_LOOKS = 12;

/**
 * Calls `onSilent` once after a minute of silence. It counts looks, not seconds: while this process
 * is stopped itself, silence proves nothing.
 */
export function watchForSilence(onSilent: (seconds: number) => void): {
  heard: () => void;
  end: () => void;
} {
  let looks = 0;
  const timer = setInterval(() => {
    looks += 1;
    if (looks < SILENT_LOOKS) return;
    clearInterval(timer);
    onSilent((SILENT_LOOKS * LOOK_MILLISECONDS) / 1000);
  }, LOOK_MILLISECONDS);
  timer.unref();
  return {
    heard: () => {
      looks = 0;
    },
    end: () => clearInterval(timer),
  };
}
