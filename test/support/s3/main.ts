import { parseArgs } from 'node:util';
import { startS3Server } from './server.ts';

const usage = `Usage:
  node test/support/s3/main.ts --port <n> --dir <path> --bucket <name> [--bandwidth <MB/s>]

Serves an S3 endpoint for tests on 127.0.0.1 until SIGTERM or SIGINT. Objects are files below --dir.
Prints "ready <endpoint>" once it listens.

  --port <n>          port to listen on; 0 takes a free one
  --dir <path>        where buckets are kept, also across restarts
  --bucket <name>     a bucket to create unless it exists; may be repeated
  --bandwidth <MB/s>  megabytes (10^6 bytes) per second of all uploads, and of all downloads
  --help              prints this
`;

type Arguments = { port: number; dir: string; buckets: string[]; bandwidth: number | undefined };

/** Throws an Error with one clear line for arguments that make no sense. */
function readArguments(): Arguments | 'help' {
  const { values } = parseArgs({
    options: {
      port: { type: 'string' },
      dir: { type: 'string' },
      bucket: { type: 'string', multiple: true },
      bandwidth: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) return 'help';
  if (values.dir === undefined || values.dir === '') throw new Error('--dir is required');
  if (values.bucket === undefined) throw new Error('--bucket is required');
  if (values.port === undefined) throw new Error('--port is required');
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65_535)
    throw new Error(`--port must be a number from 0 to 65535, not ${values.port}`);
  const bandwidth = values.bandwidth === undefined ? undefined : Number(values.bandwidth);
  if (bandwidth !== undefined && !(bandwidth > 0 && bandwidth < 1e9))
    throw new Error(`--bandwidth must be a number of MB/s above 0, not ${values.bandwidth}`);
  return { port: Number(values.port), dir: values.dir, buckets: values.bucket, bandwidth };
}

async function main(): Promise<void> {
  let given: Arguments | 'help';
  try {
    given = readArguments();
  } catch (error) {
    fail((error as Error).message, 2);
    return;
  }
  if (given === 'help') {
    process.stdout.write(usage);
    return;
  }
  try {
    const server = await startS3Server({
      dir: given.dir,
      buckets: given.buckets,
      port: given.port,
      ...(given.bandwidth === undefined ? {} : { bandwidthBytesPerSecond: given.bandwidth * 1e6 }),
    });
    for (const signal of ['SIGTERM', 'SIGINT'] as const)
      process.once(signal, () => void server.close());
    process.stdout.write(`ready ${server.endpoint}\n`);
  } catch (error) {
    // A bucket name is an argument too.
    fail((error as Error).message, error instanceof RangeError ? 2 : 1);
  }
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`s3: ${message.split('\n', 1)[0]}\n`);
  process.exitCode = exitCode;
}

await main();
