import type { Config } from '../config.ts';
import { EXIT } from '../contract.ts';
import { exitCodeOf } from '../errors.ts';
import { createEvents } from '../events.ts';
import { listenAsLog } from '../observe/log.ts';
import { listenAsMetrics } from '../observe/metrics.ts';
import { backup } from './backup.ts';

/**
 * Makes a backup with log, metrics and progress display. Calls `settle` with the exit code as soon
 * as nothing can change it.
 * @returns the exit code.
 */
export async function runBackup(
  config: Config,
  interruption: AbortSignal,
  settle: (exitCode: number) => void,
): Promise<number> {
  const events = createEvents();
  const metrics = listenAsMetrics(events, {
    namespace: config.metrics.namespace,
    intervalSeconds: config.metrics.intervalSeconds,
    source: config.source,
    region: config.metrics.region,
  });
  if (process.stdout.isTTY) {
    const { listenAsProgress } = await import('../observe/progress.ts');
    listenAsProgress(events, { stream: process.stdout });
  } else listenAsLog(events, { level: config.logLevel, source: config.source });
  try {
    await backup(config, events, interruption, () => settle(EXIT.done));
    return EXIT.done;
  } catch (error) {
    const code = exitCodeOf(error);
    settle(code);
    return code;
  } finally {
    await metrics.flush();
  }
}
