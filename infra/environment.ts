import type { VariableName } from '../app/variables.ts';
import type { StackSettings } from './config.ts';
import type { SourceSettings } from './config-source.ts';
import { deriveLimits } from './sizes.ts';

/**
 * The Dockerfile makes this directory of the task's user and declares it a volume. Both paths must
 * be the same.
 */
export const STAGING_DIRECTORY = '/staging';
/** Where the Dockerfile puts the certificate authorities of RDS. */
export const RDS_CA_FILE = '/etc/ssl/rds/global-bundle.pem';

export type Environment = Readonly<Partial<Record<VariableName, string>>>;
export type Destination = { readonly bucketName: string; readonly kmsKeyArn: string | undefined };

/**
 * The environment of one source's backup. User and password come from Secrets Manager and are not
 * part of it.
 */
export function environmentOf(
  settings: Pick<StackSettings, 'region' | 'metricsNamespace'>,
  source: SourceSettings,
  { bucketName, kmsKeyArn }: Destination,
): Environment {
  const limits = deriveLimits(source);
  const tags = new URLSearchParams(source.objectTags).toString();
  return {
    ...sharedEnvironment(settings, source, bucketName),
    OUTPUTDIR: STAGING_DIRECTORY,
    ...(limits !== undefined && { STAGING_LIMIT_MB: String(limits.stagingLimitMiB) }),
    ...connection(source, source.host, source.port),
    DATABASES: source.databases.join(','),
    MYDUMPER_ARGS: source.mydumperArguments,
    CHUNK_FILE_SIZE_MB: String(source.chunkFileSizeMiB),
    THREADS: String(source.threads),
    COMPRESS: source.compression,
    LOCK_MODE: source.lockMode,
    METRICS_NAMESPACE: settings.metricsNamespace,
    ...(limits !== undefined && {
      UPLOAD_CONCURRENCY: String(limits.uploadConcurrency),
      PART_SIZE_MB: String(limits.partSizeMiB),
    }),
    ...(source.storageClass !== undefined && { STORAGE_CLASS: source.storageClass }),
    ...(kmsKeyArn !== undefined && { KMS_KEY_ID: kmsKeyArn }),
    ...(tags !== '' && { OBJECT_TAGS: tags }),
  };
}

/**
 * The environment of one source's restore and verify. They write nothing to disk. It has no
 * metrics, as their role may only read.
 */
export function restoreEnvironmentOf(
  settings: Pick<StackSettings, 'region'>,
  source: SourceSettings,
  bucketName: string,
): Environment {
  const { host, port } = source.restore ?? source;
  return {
    ...sharedEnvironment(settings, source, bucketName),
    ...connection(source, host, port),
    THREADS: String(source.threads),
    METRICS_NAMESPACE: '',
  };
}

function sharedEnvironment(
  settings: Pick<StackSettings, 'region'>,
  source: SourceSettings,
  bucketName: string,
): Environment {
  return {
    BUCKET: bucketName,
    REGION: settings.region,
    PREFIX: source.prefix,
    SOURCE: source.name,
    ...timeouts(source),
  };
}

function timeouts({
  timeouts: { uploadRetrySeconds, querySeconds, stallSeconds },
}: SourceSettings): Environment {
  return {
    ...(uploadRetrySeconds !== undefined && { UPLOAD_RETRY_SECONDS: String(uploadRetrySeconds) }),
    ...(querySeconds !== undefined && { QUERY_TIMEOUT_SECONDS: String(querySeconds) }),
    ...(stallSeconds !== undefined && { STALL_TIMEOUT_SECONDS: String(stallSeconds) }),
  };
}

function connection({ tls }: SourceSettings, host: string, port: number): Environment {
  const verifies = tls.mode.startsWith('verify');
  return {
    HOST: host,
    PORT: String(port),
    TLS_MODE: tls.mode,
    ...(verifies && { TLS_CA: tls.caFile ?? RDS_CA_FILE }),
  };
}
