import { accessSync, constants, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { readArguments, SECRETS } from './command-line.ts';
import { type ReadingConfig, readingConfig, readingFields, readingMistakes } from './config-reading.ts';
import { type Command, SDK_VARIABLES, VARIABLES, type VariableName } from './contract.ts';
import { Failure } from './errors.ts';
import { refusedMydumperFlags, splitShellWords } from './mydumper/extra-arguments.ts';

const MIB = 1024 * 1024;

export type TlsMode = 'disabled' | 'preferred' | 'required' | 'verify-ca' | 'verify-full';
export type LockMode = 'auto' | 'ftwrl' | 'lock-all' | 'safe-no-lock' | 'none';
export type Compression = 'none' | 'gzip' | 'zstd';

/** Where and how to reach the MySQL server. `password` must reach no argv, log, metric, manifest or message. */
export type ServerConfig = {
  readonly host: string;
  readonly port: number;
  readonly socket: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly tls: { readonly mode: TlsMode | undefined; readonly caFile: string | undefined };
};

export type StoreConfig = {
  readonly bucket: string;
  readonly region: string;
  readonly forcePathStyle: boolean;
  readonly storageClass: string | undefined;
  readonly kmsKeyId: string | undefined;
  /** As S3 takes them, URL-encoded `key=value&key=value`. */
  readonly objectTags: string | undefined;
  readonly partBytes: number;
  readonly retrySeconds: number;
};

/** Everything a run needs to know, read once. Inner modules take values from it, never from the environment. */
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
    readonly myloader: string;
    /** PATH, to find the tools by. */
    readonly searchPath: string;
    readonly threads: number;
    readonly chunkMiB: number;
    /** Empty: all but system schemas. */
    readonly databases: readonly string[];
    readonly extraArguments: readonly string[];
    readonly lockMode: LockMode;
  };
  readonly compression: Compression;
  readonly uploadConcurrency: number;
  /** Metrics belong where the task runs, which need not be where the bucket is. */
  readonly metrics: { readonly namespace: string; readonly intervalSeconds: number; readonly region: string };
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'SILENT';
};

export type Invocation =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'run'; readonly config: Config };

/** Empty means something for these; for all others an empty value counts as not set, as task definitions often pass them. */
const EMPTY_IS_A_VALUE: ReadonlySet<string> = new Set<VariableName>(['METRICS_NAMESPACE']);
const whole = (minimum: number, maximum: number, unit = '') =>
  z
    .string()
    .regex(/^\d{1,15}$/, { error: `must be a whole number from ${minimum} to ${maximum}${unit}` })
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, {
      error: `must be a whole number from ${minimum} to ${maximum}${unit}`,
    });

const oneOf = <const T extends readonly [string, ...string[]]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(', ')}` });

// Key rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html (1,024 bytes in all).
const KEY_SAFE = /^[A-Za-z0-9!_'()*.-]+$/;
const isKeySegment = (segment: string) =>
  KEY_SAFE.test(segment) && segment !== '.' && segment !== '..' && segment.length <= 200;

const keyPrefix = z
  .string()
  .transform((value) => value.replace(/^\/+|\/+$/g, ''))
  .refine((value) => value === '' || value.split('/').every(isKeySegment), {
    error: "must be key segments of letters, digits and ! _ ' ( ) * . - joined by single slashes",
  });

const readableFile = z.string().superRefine((path, context) => {
  try {
    if (!statSync(path).isFile()) throw new Error('it is not a file');
    accessSync(path, constants.R_OK);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    context.addIssue({ code: 'custom', message: `must be a readable PEM file (${reason})` });
  }
});

const mydumperArguments = z.string().transform((value, context) => {
  const words = splitShellWords(value);
  if (words === undefined) {
    context.addIssue({ code: 'custom', message: 'has a quote that is not closed' });
    return z.NEVER;
  }
  for (const message of refusedMydumperFlags(words)) context.addIssue({ code: 'custom', message });
  return words;
});

const schema = z.object({
  BUCKET: z
    .string({ error: 'is required: the name of the S3 bucket' })
    .regex(/^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|arn:[\w:/.-]+)$/, {
      error:
        'must be a bucket name (3 to 63 lower-case letters, digits, dots, hyphens) or an access point ARN',
    }),
  REGION: z
    .string()
    .regex(/^[a-z0-9-]{2,40}$/, { error: 'must be an AWS region such as eu-central-1' })
    .optional(),
  PREFIX: keyPrefix.default(''),
  SOURCE: z
    .string()
    .refine(isKeySegment, {
      error: "must be up to 200 letters, digits and ! _ ' ( ) * . - (it becomes a key segment)",
    })
    .optional(),
  HOST: z
    .string()
    .regex(/^[^\s\p{Cc}]{1,255}$/u, { error: 'must be a host name or address' })
    .default('localhost'),
  PORT: whole(1, 65_535).default(3306),
  SOCKET: z
    .string()
    .refine((path) => !/\p{Cc}/u.test(path) && path.length <= 107, {
      error: 'must be a unix socket path of up to 107 bytes',
    })
    .optional(),
  USERNAME: z
    .string()
    .regex(/^[^\p{Cc}]{1,128}$/u, { error: 'must be a user name without control characters' })
    .default('root'),
  PASSWORD: z
    .string()
    .refine((value) => !/[\0\n\r]/.test(value), { error: 'must not hold line ends or NUL' })
    .default(''),
  OUTPUTDIR: z
    .string()
    .refine((path) => !path.includes('\0'), { error: 'must be a directory path' })
    .default('output'),
  // S3 takes 10,000 parts of 5 MiB or more for an object.
  CHUNK_FILE_SIZE_MB: whole(1, 40_000, ' (MiB)').default(1),
  MAX_FILE_COUNT: whole(1, 1_000_000).default(10),
  STAGING_LIMIT_MB: whole(1, 16_777_216, ' (MiB)').optional(),
  THREADS: whole(1, 256).default(4),
  DATABASES: z
    .string()
    .transform((value) =>
      value
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== ''),
    )
    .refine((names) => names.every((name) => name.length <= 64 && !/[\p{Cc}]/u.test(name)), {
      error: 'must be a comma-separated list of database names of up to 64 characters',
    })
    .default([]),
  MYDUMPER_ARGS: mydumperArguments.default([]),
  COMPRESS: oneOf(['none', 'gzip', 'zstd']).default('zstd'),
  LOCK_MODE: oneOf(['auto', 'ftwrl', 'lock-all', 'safe-no-lock', 'none']).default('auto'),
  TLS_MODE: oneOf(['disabled', 'preferred', 'required', 'verify-ca', 'verify-full']).optional(),
  TLS_CA: readableFile.optional(),
  UPLOAD_CONCURRENCY: whole(1, 64).default(4),
  // S3 takes parts of 5 MiB to 5 GiB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
  PART_SIZE_MB: whole(5, 5120, ' (MiB)').default(8),
  UPLOAD_RETRY_SECONDS: whole(0, 86_400, ' (seconds)').default(300),
  STORAGE_CLASS: z
    .string()
    .regex(/^[A-Z_]{2,40}$/, { error: 'must be an S3 storage class such as STANDARD_IA' })
    .optional(),
  KMS_KEY_ID: z
    .string()
    .regex(/^[\w:/.-]{1,2048}$/, { error: 'must be a KMS key id, alias or ARN' })
    .optional(),
  // At most 10 tags: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
  OBJECT_TAGS: z
    .string()
    .refine(
      (value) =>
        value.split('&').length <= 10 && value.split('&').every((tag) => /^[^=&]+=[^=&]*$/.test(tag)),
      {
        error: 'must be up to 10 URL-encoded tags, key=value&key=value',
      },
    )
    .optional(),
  S3_FORCE_PATH_STYLE: oneOf(['true', 'false']).default('false'),
  METRICS_NAMESPACE: z
    .string()
    .regex(/^[A-Za-z0-9.\-_/#:]{0,255}$/, { error: 'must be up to 255 letters, digits and . - _ / # :' })
    .default('MydumperFargate'),
  METRICS_INTERVAL_SECONDS: whole(1, 3600, ' (seconds)').default(60),
  MYDUMPER_BIN: z.string().default('mydumper'),
  MYLOADER_BIN: z.string().default('myloader'),
  LOG_LEVEL: oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR', 'SILENT']).default('INFO'),
  ...readingFields,
} satisfies Record<VariableName, z.ZodType>);

/**
 * Reads argv and the environment into a configuration.
 * @throws Failure of kind `configuration` with one line for each mistake, all of them at once.
 */
export function readInvocation(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Invocation {
  const { command, values, asked, mistakes } = readArguments(argv);
  if (asked !== undefined) return { kind: asked };

  const raw: Record<string, string> = {};
  for (const { name } of VARIABLES) {
    const value = values[name] ?? env[name];
    if (value !== undefined && (value !== '' || EMPTY_IS_A_VALUE.has(name))) raw[name] = value;
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success) {
    for (const issue of parsed.error.issues)
      mistakes.push(mistakeLine(String(issue.path[0]), raw, issue.message));
  }
  if (mistakes.length > 0 || !parsed.success) throw new Failure('configuration', mistakes);

  const config = toConfig(command, parsed.data, env);
  const contradictions = readingMistakes(config);
  if (contradictions.length > 0) throw new Failure('configuration', contradictions);
  if ((config.server.tls.mode ?? '').startsWith('verify') && config.server.tls.caFile === undefined) {
    throw new Failure(
      'configuration',
      `TLS_MODE="${config.server.tls.mode}": needs TLS_CA, the PEM file to verify with`,
    );
  }
  return { kind: 'run', config };
}

function mistakeLine(name: string, raw: Record<string, string>, message: string): string {
  const value = raw[name];
  if (value === undefined) return `${name} ${message}`;
  const shown = SECRETS.has(name)
    ? '(hidden)'
    : JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value);
  return `${name}=${shown}: ${message}`;
}

function toConfig(command: Command, values: z.infer<typeof schema>, env: NodeJS.ProcessEnv): Config {
  const region = values.REGION ?? (env[SDK_VARIABLES.region] || 'eu-central-1');
  return {
    command,
    server: {
      host: values.HOST,
      port: values.PORT,
      socket: values.SOCKET,
      user: values.USERNAME,
      password: values.PASSWORD,
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
    reading: readingConfig(values),
    staging: {
      directory: resolve(values.OUTPUTDIR),
      budgetBytes: (values.STAGING_LIMIT_MB ?? values.CHUNK_FILE_SIZE_MB * values.MAX_FILE_COUNT) * MIB,
    },
    dump: {
      mydumper: values.MYDUMPER_BIN,
      myloader: values.MYLOADER_BIN,
      searchPath: env.PATH || '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      threads: values.THREADS,
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

/** Makes any host name usable as a key segment: what is not a letter, digit or `_ . -` becomes a hyphen. */
export function keySafe(host: string): string {
  const safe = host.replace(/[^A-Za-z0-9_.-]/g, '-').slice(0, 200);
  return /^\.{0,2}$/.test(safe) ? `host${safe}` : safe;
}
