import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { putBuffers } from './alternatives.ts';
import { freshDirectory } from './disk.ts';
import { measureStep } from './measure.ts';
import type { Ceiling, HashRates } from './sample.ts';
import type { Setting } from './setting.ts';
import type { Sink } from './sink/start.ts';

const MEGABYTES = 2000;

/**
 * The rate at which the S3 server accepts raw HTTP PUTs of one buffer in a loop, both on this
 * machine's processors.
 */
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

const HASHED_BYTES = 2e8;

export function measureHashRates(): HashRates {
  const hash = createHash('sha256');
  return { sha256: rateOf((piece) => hash.update(piece)), crc32: rateOf((piece) => crc32(piece)) };
}

function rateOf(work: (piece: Buffer) => unknown): number {
  const piece = Buffer.alloc(1024 ** 2, 'some content ');
  const before = process.cpuUsage();
  for (let done = 0; done < HASHED_BYTES; done += piece.byteLength) work(piece);
  const { user, system } = process.cpuUsage(before);
  return HASHED_BYTES / ((user + system) / 1e6);
}
