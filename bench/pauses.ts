export type Pause = { readonly fromSeconds: number; readonly toSeconds: number };

/**
 * When mydumper was stopped, by the `paused` and `resumed` lines of a JSON log, in seconds since
 * `startedAt` (milliseconds of the clock). One that was not ended lasts to the end.
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
