import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { dropAll } from '../test/restore/setting.ts';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';
import {
  AS_IN_THE_IMAGE,
  BUCKET,
  type Context,
  clientEnvironment,
  databaseEnvironment,
  ours,
  rcloneEnvironment,
  THREADS,
} from './alternatives.ts';
import { freshDirectory } from './disk.ts';
import { measureStep, type Step, type StepMeasure } from './measure.ts';

const MAIN = fileURLToPath(new URL('../app/main.ts', import.meta.url));
const S3_MAIN = fileURLToPath(new URL('../test/support/s3/main.ts', import.meta.url));

type RestoreName = 'restore-ours' | 'restore-download-myloader';

export type RestoreBench = {
  readonly measure: (name: RestoreName, context: Context) => Promise<readonly StepMeasure[]>;
  /** Of the backup that is restored. */
  readonly sizes: () => { readonly storedBytes: number; readonly dumpedBytes: number };
  readonly stop: () => Promise<void>;
};

type Prepared = {
  readonly target: MariaDb;
  readonly s3: ChildProcess;
  readonly endpoint: string;
  readonly folder: string;
  readonly storedBytes: number;
  readonly dumpedBytes: number;
};

/**
 * Restores one backup (zstd) from the tests' S3 server, which is a separate process, into a second
 * server. Both start at the first use.
 */
export function createRestoreBench(work: string): RestoreBench {
  let prepared: Prepared | undefined;

  const prepare = async (context: Context): Promise<Prepared> => {
    const target = await startMariaDb({
      config: ['innodb_buffer_pool_size=512M', 'innodb_log_file_size=1G'],
    });
    const directory = join(work, 's3');
    mkdirSync(directory);
    const s3 = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        process.execPath,
        S3_MAIN,
        '--port',
        '0',
        '--dir',
        directory,
        '--bucket',
        BUCKET,
      ],
      { stdio: ['ignore', 'pipe', 2] },
    );
    const endpoint = await firstEndpoint(s3);
    const backup = ours({ ...context, endpoint, directory: join(work, 'restored-from') }, 'zstd');
    const { stdout } = await measureStep(backup, {
      database: context.setting.db.pid,
      s3: s3.pid ?? 0,
    });
    const [line = ''] = /^.*"event":"succeeded".*$/m.exec(stdout) ?? [];
    const succeeded = JSON.parse(line) as {
      backupId: string;
      storedBytes: number;
      dumpedBytes: number;
    };
    const folder = `bench-zstd/${succeeded.backupId}`;
    return {
      target,
      s3,
      endpoint,
      folder,
      storedBytes: succeeded.storedBytes,
      dumpedBytes: succeeded.dumpedBytes,
    };
  };

  return {
    measure: async (name, given) => {
      prepared ??= await prepare(given);
      const { target, s3, endpoint } = prepared;
      const context = { ...given, endpoint };
      await dropAll(target);
      const steps: StepMeasure[] = [];
      for (const step of name === 'restore-ours'
        ? [restore(context, target)]
        : byHand(context, prepared, work))
        steps.push(await measureStep(step, { database: target.pid, s3: s3.pid ?? 0 }));
      await freshDirectory(context.directory);
      return steps;
    },
    sizes: () => ({
      storedBytes: prepared?.storedBytes ?? 0,
      dumpedBytes: prepared?.dumpedBytes ?? 0,
    }),
    stop: async () => {
      if (prepared === undefined) return;
      const ended = once(prepared.s3, 'exit');
      prepared.s3.kill('SIGTERM');
      await Promise.all([ended, prepared.target.stop()]);
    },
  };
}

function restore(context: Context, target: MariaDb): Step {
  const env = {
    ...clientEnvironment(context),
    ...databaseEnvironment(target),
    BUCKET,
    SOURCE: 'bench-zstd',
    THREADS: String(THREADS),
  };
  return {
    name: 'restore',
    argv: [process.execPath, ...AS_IN_THE_IMAGE, MAIN, 'restore'],
    env,
    directory: context.directory,
  };
}

/** rclone, zstd and myloader, one after the other, the whole dump on disk. */
function byHand(context: Context, { target, folder }: Prepared, work: string): readonly Step[] {
  const { directory } = context;
  const optionFile = join(work, 'target.cnf');
  const password = `"${target.password.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
  writeFileSync(
    optionFile,
    `[client]\nhost=${target.host}\nport=${target.port}\n` +
      `user=${target.user}\npassword=${password}\n`,
    { mode: 0o600 },
  );
  // The tests' server has ETags that look like an MD5 and are none.
  const env = {
    ...clientEnvironment(context),
    ...rcloneEnvironment(context),
    RCLONE_IGNORE_CHECKSUM: 'true',
  };
  const copy = ['rclone', 'copy', '--config', '', `:s3:${BUCKET}/${folder}`, directory];
  const unpack = ['sh', '-c', 'exec zstd -d -q --rm "$1"/*.zst', 'sh', directory];
  const load = [
    'myloader',
    `--defaults-file=${optionFile}`,
    '-d',
    directory,
    '-t',
    String(THREADS),
    '-v',
    '2',
  ];
  return [
    { name: 'rclone copy', argv: copy, env, directory },
    { name: 'zstd -d', argv: unpack, directory },
    { name: 'myloader', argv: load, directory },
  ];
}

async function firstEndpoint(server: ChildProcess): Promise<string> {
  if (server.stdout === null) throw new Error('the S3 server has no output');
  for await (const line of createInterface({ input: server.stdout })) {
    const [, endpoint] = /^ready (\S+)$/.exec(line) ?? [];
    if (endpoint !== undefined) return endpoint;
  }
  throw new Error('the S3 server did not start');
}
