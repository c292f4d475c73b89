export type Pause = { readonly fromSeconds: number; readonly toSeconds: number };

/**
 * Reads the times when mydumper was stopped from the `paused` and `resumed` lines of a JSON log.
 * They are in seconds since `startedAt` (milliseconds of the clock). A pause without an end lasts
 * to the end of the run.
 */
export function pausesIn(log: string, startedAt: number, endSeconds: number): readonly Pause[] {
  const pauses: Pause[] = [];
  let from: number | undefined;
  for (const line of log.split('\n')) {
    if (!/"event":"(paused|resumed)"/.test(line)) continue;
    const { event, timestamp } = JSON.parse(line) as { event: string; timestamp: string };
    const seconds = (Date.parse(timestamp) - startedAt) / 1000;
    if (event === 'paused') from ??= seconds;
    else if (from !== undefined) {
      pauses.push({ fromSeconds: from, toSeconds: seconds });
      from = undefined;
    }
  }
  if (from !== undefined) pauses.push({ fromSeconds: from, toSeconds: endSeconds });
  return pauses;
}
