import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CloudWatch, startCloudWatch } from '../support/cloudwatch.ts';
import { type MariaDb, type MariaDbOptions, startMariaDb } from '../support/mariadb/harness.ts';
import { processesWith } from '../support/processes.ts';
import { awsEnvironment, temporaryDirectory } from '../support/program.ts';
import { type S3Server, type S3ServerOptions, startS3Server } from '../support/s3/server.ts';

export const BUCKET = 'backups';

/**
 * A database server, an S3 server, a CloudWatch endpoint, and the program's environment for them.
 */
export type World = {
  readonly db: MariaDb;
  readonly s3: S3Server;
  readonly cloudwatch: CloudWatch;
  readonly directory: string;
  readonly staging: string;
  /** The program's environment; `extra` overrides it. */
  readonly environment: (extra?: Record<string, string>) => Record<string, string>;
  readonly stop: () => Promise<void>;
};

/** Starts a world. `stop` leaves a database server that was passed in running. */
export async function startWorld(
  options: { db?: MariaDb | MariaDbOptions; s3?: Partial<Omit<S3ServerOptions, 'dir'>> } = {},
): Promise<World> {
  const { path: directory, remove } = temporaryDirectory('mf-e2e');
  const cleanups: (() => unknown)[] = [remove];
  const stop = async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  };
  try {
    const given = options.db !== undefined && 'pid' in options.db ? options.db : undefined;
    const db = given ?? (await startMariaDb(options.db as MariaDbOptions | undefined));
    if (given === undefined) cleanups.push(() => db.stop());
    const s3 = await startS3Server({
      dir: join(directory, 's3'),
      buckets: [BUCKET],
      ...options.s3,
    });
    cleanups.push(() => s3.close());
    const cloudwatch = await startCloudWatch();
    cleanups.push(() => cloudwatch.close());
    const staging = join(directory, 'staging');
    return {
      db,
      s3,
      cloudwatch,
      directory,
      staging,
      environment: (extra = {}) => ({
        ...awsEnvironment({ s3: s3.endpoint, cloudwatch: cloudwatch.endpoint }),
        BUCKET,
        SOURCE: 'test-db',
        HOST: db.host,
        PORT: String(db.port),
        USERNAME: db.user,
        PASSWORD: db.password,
        OUTPUTDIR: staging,
        STAGING_LIMIT_MB: '64',
        LOG_LEVEL: 'DEBUG',
        ...extra,
      }),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Names left in the staging directory; none when the directory is missing. */
export function leftInStaging(world: World): string[] {
  return existsSync(world.staging) ? readdirSync(world.staging) : [];
}

/** The keys of all manifests in the bucket. */
export async function manifestKeys(world: World): Promise<string[]> {
  return (await world.s3.objects(BUCKET))
    .map(({ key }) => key)
    .filter((key) => key.endsWith('manifest.json'));
}

/** Kills the processes that a faulty program leaves behind. */
export function killLeft(world: World): void {
  for (const { pid } of processesWith(world.directory)) process.kill(pid, 'SIGKILL');
}
