import { join } from 'node:path';
import { putBuffers } from './alternatives.ts';
import { freshDirectory } from './disk.ts';
import { measureStep } from './measure.ts';
import type { Ceiling } from './sample.ts';
import type { Setting } from './setting.ts';
import type { Sink } from './sink/start.ts';

const MEGABYTES = 2000;

/** What the S3 server takes from a loop of raw HTTP PUTs of one buffer, both on this machine's processors. */
export async function measureCeiling(setting: Setting, sink: Sink): Promise<Ceiling> {
  const directory = await freshDirectory(join(setting.work, 'staging'));
  await sink.reset(undefined);
  const step = putBuffers({ setting, endpoint: sink.endpoint, directory }, MEGABYTES);
  const measured = await measureStep(step, { database: setting.db.pid, s3: sink.pid });
  const { storedBytes } = await sink.reset(undefined);
  return {
    tls: sink.endpoint.startsWith('https:'),
    bytesPerSecond: storedBytes / measured.wallSeconds,
    s3CpuSecondsPerGb: measured.s3CpuSeconds / (storedBytes / 1e9),
  };
}
