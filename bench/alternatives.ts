import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from '../test/support/compile-cache.ts';
import { awsEnvironment } from '../test/support/program.ts';
import type { AlternativeName } from './alternative-names.ts';
import type { Step } from './measure.ts';
import { AWS } from './programs.ts';
import type { Setting, Sized } from './setting.ts';

/** Of mydumper and of what is uploaded at once: the program's default, for everybody. */
export const THREADS = 4;
export const BUCKET = 'bench';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));
/** Flags of Node in the Dockerfile's entrypoint. */
export const AS_IN_THE_IMAGE = ['--max-semi-space-size=2'];

const MAIN = path('../app/main.ts');
const PUT_FILES = path('put-files.ts');
const STOP_UPLOAD_RESUME = path('stop-upload-resume.ts');

/** What a cell needs to be run. */
export type Context = {
  readonly setting: Setting;
  readonly sized: Sized;
  readonly endpoint: string;
  /** Of the database, or of a slow way to it. */
  readonly databasePort: number;
  /** Staging, or the whole dump of those with an unlimited disk; fresh and empty. */
  readonly directory: string;
  /** Files of an earlier dump. */
  readonly ready: string;
  /** Variables that go on top of our program's; for the sweep. */
  readonly variables?: Readonly<Record<string, string>>;
};

type BackupAlternative = Exclude<AlternativeName, 'restore-ours' | 'restore-download-myloader'>;

/** The programs of each alternative, to be run one after the other. */
export function stepsOf(alternative: BackupAlternative, context: Context): readonly Step[] {
  const { directory, endpoint } = context;
  switch (alternative) {
    case 'mydumper-alone':
      return [dump(context)];
    case 'upload-alone':
      return [putFiles(context)];
    case 'ours-none':
    case 'ours-zstd':
      return [ours(context, alternative === 'ours-none' ? 'none' : 'zstd')];
    case 'stop-upload-resume': {
      const budgetBytes = String(context.sized.budgetMiB * 1024 ** 2);
      const script = [process.execPath, STOP_UPLOAD_RESUME, endpoint, directory, budgetBytes];
      const argv = [...script, 'mydumper', ...mydumperArguments(context)];
      return [{ name: 'stop-upload-resume', argv, env: clientEnvironment(context), directory }];
    }
    case 'mydumper-then-aws': {
      const copy = [
        's3',
        'cp',
        '--recursive',
        '--only-show-errors',
        directory,
        `s3://${BUCKET}/aws/`,
      ];
      const argv = [AWS, '--endpoint-url', endpoint, ...copy];
      return [
        dump(context),
        { name: 'aws s3 cp', argv, env: clientEnvironment(context), directory },
      ];
    }
    case 'mydumper-then-rclone': {
      const argv = ['rclone', 'copy', '--config', '', directory, `:s3:${BUCKET}/rclone/`];
      const env = { ...clientEnvironment(context), ...rcloneEnvironment(context) };
      return [dump(context), { name: 'rclone copy', argv, env, directory }];
    }
    case 'mysqldump-zstd-aws': {
      const pipe =
        'mariadb-dump --defaults-file="$1" --single-transaction --quick --routines --events ' +
        '--databases "$2" | zstd -1 -q | "$3" --endpoint-url "$4" s3 cp - ' +
        `"s3://${BUCKET}/pipe.sql.zst"`;
      const { setting, sized } = context;
      const args = ['bash', setting.optionFile, sized.database, AWS, endpoint];
      const argv = ['bash', '-o', 'pipefail', '-c', pipe, ...args];
      return [{ name: 'mysqldump | zstd | aws', argv, env: clientEnvironment(context), directory }];
    }
  }
}

/** As our program calls it, but with an unlimited disk. */
function mydumperArguments({ setting, sized, directory, databasePort }: Context): string[] {
  return [
    `--defaults-file=${setting.optionFile}`,
    `--host=${setting.db.host}`,
    `--port=${databasePort}`,
    `--outputdir=${directory}`,
    `--threads=${THREADS}`,
    `--chunk-filesize=${sized.chunkMiB}`,
    '--verbose=3',
    '--triggers',
    '--events',
    '--routines',
    '--complete-insert',
    '--trx-consistency-only',
    `--database=${sized.database}`,
  ];
}

function dump(context: Context): Step {
  const argv = ['mydumper', ...mydumperArguments(context)];
  return { name: 'mydumper', argv, directory: context.directory };
}

function putFiles(context: Context): Step {
  const argv = [process.execPath, PUT_FILES, context.endpoint, context.ready];
  return { name: 'upload', argv, env: clientEnvironment(context), directory: context.directory };
}

/** Sends so many MB out of memory: what the server can take. */
export function putBuffers(
  context: Pick<Context, 'setting' | 'endpoint' | 'directory'>,
  megabytes: number,
): Step {
  const argv = [process.execPath, PUT_FILES, context.endpoint, String(megabytes)];
  return { name: 'raw PUTs', argv, env: clientEnvironment(context), directory: context.directory };
}

export function ours(context: Context, compression: 'none' | 'zstd'): Step {
  const { setting, sized, directory } = context;
  const env = {
    ...clientEnvironment(context),
    ...databaseEnvironment(setting.db),
    PORT: String(context.databasePort),
    BUCKET,
    SOURCE: `bench-${compression}`,
    OUTPUTDIR: join(directory),
    DATABASES: sized.database,
    STAGING_LIMIT_MB: String(sized.budgetMiB),
    CHUNK_FILE_SIZE_MB: String(sized.chunkMiB),
    THREADS: String(THREADS),
    COMPRESS: compression,
    ...context.variables,
  };
  return {
    name: 'backup',
    argv: [process.execPath, ...AS_IN_THE_IMAGE, MAIN, 'backup'],
    env,
    directory,
  };
}

export function databaseEnvironment(db: Setting['db']): Record<string, string> {
  return { HOST: db.host, PORT: String(db.port), USERNAME: db.user, PASSWORD: db.password };
}

/**
 * The S3 environment of all programs, ours and others: made-up credentials, and the certificate to
 * trust.
 */
export function clientEnvironment({
  endpoint,
  setting,
}: Pick<Context, 'endpoint' | 'setting'>): Record<string, string> {
  return {
    ...awsEnvironment({ s3: endpoint }),
    AWS_DEFAULT_REGION: 'eu-central-1',
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ...(endpoint.startsWith('https:')
      ? { NODE_EXTRA_CA_CERTS: setting.certificate, AWS_CA_BUNDLE: setting.certificate }
      : {}),
  };
}

export function rcloneEnvironment({
  endpoint,
  setting,
}: Pick<Context, 'endpoint' | 'setting'>): Record<string, string> {
  return {
    RCLONE_S3_PROVIDER: 'Other',
    RCLONE_S3_ENDPOINT: endpoint,
    RCLONE_S3_ENV_AUTH: 'true',
    RCLONE_S3_REGION: 'eu-central-1',
    RCLONE_S3_LIST_VERSION: '2',
    // rclone takes no notice of AWS_CA_BUNDLE but to refuse to start.
    ...(endpoint.startsWith('https:')
      ? { RCLONE_CA_CERT: setting.certificate, AWS_CA_BUNDLE: '' }
      : {}),
  };
}
