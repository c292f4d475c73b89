/**
 * Preloaded by `--import`. When the process ends, it writes the delays of its event loop in
 * milliseconds to EVENT_LOOP_FILE.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const RESOLUTION_MILLISECONDS = 5;
const file = process.env.EVENT_LOOP_FILE;
if (isMainThread && file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MILLISECONDS });
  delay.enable();
  process.once('exit', () => {
    const milliseconds = (nanoseconds: number) =>
      Math.max(0, nanoseconds / 1e6 - RESOLUTION_MILLISECONDS);
    writeFileSync(
      file,
      JSON.stringify({
        p50: milliseconds(delay.percentile(50)),
        p99: milliseconds(delay.percentile(99)),
        most: milliseconds(delay.max),
      }),
    );
  });
}
