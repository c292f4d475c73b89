import { resolve } from 'node:path';
import type { z } from 'zod';
import { readArguments, SECRETS } from './command-line.ts';
import { variablesSchema } from './config-fields.ts';
import { type ReadingConfig, readingConfig, readingMistakes } from './config-reading.ts';
import type { Command } from './contract.ts';
import { Failure } from './errors.ts';
import { SDK_VARIABLES, VARIABLES, type VariableName } from './variables.ts';

const MIB = 1024 * 1024;
const DEFAULT_PORT = 3306;

export type TlsMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-full';
export type LockMode = 'auto' | 'ftwrl' | 'lock-all' | 'safe-no-lock' | 'none';
export type Compression = 'none' | 'gzip' | 'zstd';

/**
 * Address and login of the MySQL server. `password` must reach no argv, log, metric, manifest or
 * message.
 */
export type ServerConfig = {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly user: string;
  readonly password: string;
  /** How long one statement of ours may take (QUERY_TIMEOUT_SECONDS). */
  readonly queryTimeoutSeconds: number;
  readonly tls: { readonly mode: TlsMode | undefined; readonly caFile: string | undefined };
};

export type StoreConfig = {
  readonly bucket: string;
  readonly region: string;
  readonly forcePathStyle: boolean;
  readonly storageClass: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** In the form S3 expects, URL-encoded `key=value&key=value`. */
  readonly objectTags: string | undefined;
  readonly partBytes: number;
  readonly retrySeconds: number;
};

/**
 * All settings of a run, read once. Inner modules take values from it, never from the environment.
 */
export type Config = {
  readonly command: Command;
  readonly server: ServerConfig;
  readonly store: StoreConfig;
  /** Key prefix without slashes at its ends; empty for none. */
  readonly prefix: string;
  readonly source: string;
  /** SOURCE was set, and not taken from HOST. */
  readonly sourceGiven: boolean;
  readonly reading: ReadingConfig;
  readonly staging: { readonly directory: string; readonly budgetBytes: number };
  readonly dump: {
    readonly mydumper: string;
    /** PATH, to find the tools by. */
    readonly searchPath: string;
    readonly threads: number;
    /** How long mydumper, or the load of rows, may do nothing (STALL_TIMEOUT_SECONDS). */
    readonly stallTimeoutSeconds: number;
    readonly chunkMiB: number;
    /** Empty: all but system schemas. */
    readonly databases: readonly string[];
    readonly extraArguments: readonly string[];
    readonly lockMode: LockMode;
  };
  readonly compression: Compression;
  readonly uploadConcurrency: number;
  /** Metrics go to the region of the task, which may differ from that of the bucket. */
  readonly metrics: {
    readonly namespace: string;
    readonly intervalSeconds: number;
    readonly region: string;
  };
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'SILENT';
};

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly config: Config };

/**
 * An empty value is valid for these. For all other variables an empty value counts as not set, as
 * task definitions often pass them.
 */
const EMPTY_IS_A_VALUE: ReadonlySet<string> = new Set<VariableName>(['METRICS_NAMESPACE']);

/**
 * Reads argv and the environment into a configuration.
 * @throws Failure of kind `configuration` that reports all mistakes at once, one line each.
 */
export function readInvocation(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Invocation {
  const { command, values, asked, mistakes } = readArguments(argv);
  if (asked !== undefined) return { kind: asked };

  const raw: Record<string, string> = {};
  for (const { name } of VARIABLES) {
    const value = values[name] ?? env[name];
    if (value !== undefined && (value !== '' || EMPTY_IS_A_VALUE.has(name))) raw[name] = value;
  }
  const parsed = variablesSchema.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      mistakes.push(mistakeLine(String(issue.path[0]), raw, issue.message));
  }
  if (mistakes.length > 0 || !parsed.success) throw new Failure('configuration', mistakes);

  const config = toConfig(command, parsed.data, new Set(Object.keys(raw)), env);
  const contradictions = readingMistakes(config);
  if (contradictions.length > 0) throw new Failure('configuration', contradictions);
  if (
    (config.server.tls.mode ?? '').startsWith('verify') &&
    config.server.tls.caFile === undefined
  ) {
    throw new Failure(
      'configuration',
      `TLS_MODE="${config.server.tls.mode}": needs TLS_CA, the PEM file to verify with`,
    );
  }
  return { kind: 'run', config };
}

/** Matches flags that may hold a password. The message that refuses them must not show it. */
const MAY_HOLD_PASSWORD = /password|(?:^|\s)-\w*p/i;

function mistakeLine(name: string, raw: Record<string, string>, message: string): string {
  const value = raw[name];
  if (value === undefined) return `${name} ${message}`;
  const shown =
    SECRETS.has(name) || (name === 'MYDUMPER_ARGS' && MAY_HOLD_PASSWORD.test(value))
      ? '(hidden)'
      : JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  return `${name}=${shown}: ${message}`;
}

function toConfig(
  command: Command,
  values: z.infer<typeof variablesSchema>,
  given: ReadonlySet<string>,
  env: NodeJS.ProcessEnv,
): Config {
  const region = values.REGION ?? (env[SDK_VARIABLES.region] || 'eu-central-1');
  return {
    command,
    server: {
      host: values.HOST,
      port: values.PORT,
      socket: values.SOCKET,
      user: values.USERNAME,
      password: values.PASSWORD,
      queryTimeoutSeconds: values.QUERY_TIMEOUT_SECONDS,
      tls: {
        mode: values.TLS_MODE,
        caFile: values.TLS_CA === undefined ? undefined : resolve(values.TLS_CA),
      },
    },
    store: {
      bucket: values.BUCKET,
      region,
      forcePathStyle: values.S3_FORCE_PATH_STYLE === 'true',
      storageClass: values.STORAGE_CLASS,
      kmsKeyId: values.KMS_KEY_ID,
      objectTags: values.OBJECT_TAGS,
      partBytes: values.PART_SIZE_MB * MIB,
      retrySeconds: values.UPLOAD_RETRY_SECONDS,
    },
    prefix: values.PREFIX,
    source: values.SOURCE ?? keySafe(values.HOST),
    sourceGiven: values.SOURCE !== undefined,
    reading: readingConfig(values, given),
    staging: {
      directory: resolve(values.OUTPUTDIR),
      budgetBytes:
        (values.STAGING_LIMIT_MB ?? values.CHUNK_FILE_SIZE_MB * values.MAX_FILE_COUNT) * MIB,
    },
    dump: {
      mydumper: values.MYDUMPER_BIN,
      searchPath: env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      threads: values.THREADS,
      stallTimeoutSeconds: values.STALL_TIMEOUT_SECONDS,
      chunkMiB: values.CHUNK_FILE_SIZE_MB,
      databases: values.DATABASES,
      extraArguments: values.MYDUMPER_ARGS,
      lockMode: values.LOCK_MODE,
    },
    compression: values.COMPRESS,
    uploadConcurrency: values.UPLOAD_CONCURRENCY,
    metrics: {
      namespace: values.METRICS_NAMESPACE,
      intervalSeconds: values.METRICS_INTERVAL_SECONDS,
      region: env[SDK_VARIABLES.region] || region,
    },
    logLevel: values.LOG_LEVEL,
  };
}

/**
 * The notice for a SOURCE that was taken from an ambiguous HOST. HOST does not name one server when
 * a port other than 3306 or a socket is set. Undefined otherwise.
 */
export function sourceNotice({ server, source, sourceGiven }: Config): string | undefined {
  const { host, port, socket } = server;
  if (sourceGiven || (socket === undefined && port === DEFAULT_PORT)) return undefined;
  const own = keySafe(`${host}-${socket === undefined ? port : socket.replace(/^\/+/, '')}`);
  return (
    `SOURCE is ${source}, taken from HOST: another server on that host shares it, ` +
    `and "latest" is the newest backup of either. Set SOURCE=${own} to keep them apart; ` +
    `earlier backups stay under SOURCE=${source}`
  );
}

/**
 * Makes any host name usable as a key segment. Replaces all but letters, digits and `_ . -` by
 * hyphens.
 */
export function keySafe(host: string): string {
  const safe = host.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 200);
  return /^\.{0,2}$/.test(safe) ? `host${safe}` : safe;
}
