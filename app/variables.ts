import { LONG_FACTOR } from './contract.ts';

export type Variable = {
  readonly name: string;
  /** The default as `--help` and the README print it. */
  readonly default: string;
  readonly meaning: string;
  /** No output shows its value. */
  readonly secret?: true;
  /** Its flag, when that is not the name in lower case. */
  readonly flag?: string;
  /** `true` or `false`; the flag alone means `true`. */
  readonly switch?: true;
};

/**
 * Every environment variable the program reads, in the order of `--help`. Flags mirror them:
 * `--staging-limit-mb`.
 */
export const VARIABLES = [
  { name: 'BUCKET', default: 'required', meaning: 'S3 bucket' },
  { name: 'REGION', default: 'AWS_REGION, else eu-central-1', meaning: 'region of the bucket' },
  { name: 'PREFIX', default: 'empty', meaning: 'key prefix' },
  {
    name: 'SOURCE',
    default: 'HOST made key-safe',
    meaning:
      'name of the database server in keys, metrics and locks; ' +
      'on a port other than 3306 or a socket a notice says which to set',
  },
  { name: 'HOST', default: 'localhost', meaning: 'MySQL host' },
  { name: 'PORT', default: '3306', meaning: 'MySQL port' },
  { name: 'SOCKET', default: 'none', meaning: 'MySQL unix socket, used instead of HOST and PORT' },
  { name: 'USERNAME', default: 'root', meaning: 'MySQL user' },
  {
    name: 'PASSWORD',
    default: 'empty',
    meaning: 'MySQL password; from the environment only, as a flag would show in ps',
    secret: true,
  },
  {
    name: 'OUTPUTDIR',
    default: 'output',
    meaning: "staging directory, mydumper's -o; used for nothing else",
  },
  { name: 'CHUNK_FILE_SIZE_MB', default: '1', meaning: "mydumper's -F, in MiB" },
  {
    name: 'MAX_FILE_COUNT',
    default: '10',
    meaning: 'times CHUNK_FILE_SIZE_MB it gives the default staging budget',
  },
  {
    name: 'STAGING_LIMIT_MB',
    default: 'CHUNK_FILE_SIZE_MB * MAX_FILE_COUNT',
    meaning: 'hard budget of disk for the staging directory, in MiB',
  },
  { name: 'THREADS', default: '4', meaning: 'threads of mydumper; connections of a restore' },
  {
    name: 'DATABASES',
    default: 'all but system schemas',
    meaning: 'comma-separated databases to back up or restore',
  },
  {
    name: 'MYDUMPER_ARGS',
    default: 'empty',
    meaning: 'further mydumper flags, shell-quoted; flags this program owns are refused',
  },
  { name: 'COMPRESS', default: 'zstd', meaning: 'none, gzip or zstd: applied while shipping' },
  { name: 'LOCK_MODE', default: 'auto', meaning: 'auto, ftwrl, lock-all, safe-no-lock or none' },
  {
    name: 'TLS_MODE',
    default: "server's default",
    meaning: 'disabled, preferred, required, verify-ca or verify-full',
  },
  {
    name: 'TLS_CA',
    default: 'none',
    meaning: 'PEM file of the certificate authorities to trust for MySQL',
  },
  {
    name: 'UPLOAD_CONCURRENCY',
    default: '4',
    meaning: 'files uploaded at the same time; files that verify --full reads at the same time',
  },
  { name: 'PART_SIZE_MB', default: '8', meaning: 'S3 multipart part size in MiB, 5 or more' },
  {
    name: 'UPLOAD_RETRY_SECONDS',
    default: '300',
    meaning:
      'how long one S3 request is retried through throttling and outages before the command fails',
  },
  {
    name: 'QUERY_TIMEOUT_SECONDS',
    default: '900',
    meaning:
      'how long the MySQL server may take over one of our own statements; ' +
      `${LONG_FACTOR} times as long where it counts, empties or waits for rows`,
  },
  {
    name: 'STALL_TIMEOUT_SECONDS',
    default: '600',
    meaning:
      'how long mydumper, or the load of rows, may do nothing while nothing holds it up; ' +
      `${LONG_FACTOR} times as long while the server works for it`,
  },
  { name: 'STORAGE_CLASS', default: 'none', meaning: 'S3 storage class of the data files' },
  { name: 'KMS_KEY_ID', default: 'none', meaning: 'KMS key for SSE-KMS' },
  { name: 'OBJECT_TAGS', default: 'none', meaning: 'S3 object tags, key=value&key=value' },
  {
    name: 'S3_FORCE_PATH_STYLE',
    default: 'false',
    meaning: 'true for S3-compatible endpoints without virtual hosts',
  },
  {
    name: 'METRICS_NAMESPACE',
    default: 'MydumperFargate',
    meaning: 'CloudWatch namespace; empty switches metrics off',
  },
  { name: 'METRICS_INTERVAL_SECONDS', default: '60', meaning: 'how often metrics are sent' },
  { name: 'MYDUMPER_BIN', default: 'mydumper', meaning: 'path of mydumper' },
  {
    name: 'MYLOADER_BIN',
    default: 'none',
    meaning: 'accepted and not used: a restore loads over its own connections',
  },
  { name: 'LOG_LEVEL', default: 'INFO', meaning: 'DEBUG, INFO, WARN, ERROR or SILENT' },
  {
    name: 'BACKUP_ID',
    default: 'latest',
    meaning:
      'restore, verify: which backup, an id such as 20261122T030000Z; ' +
      'may also stand after the command',
  },
  {
    name: 'RESTORE_TABLES',
    flag: 'tables',
    default: 'all',
    meaning:
      'restore: comma-separated tables and views, table or database.table, * and ? as wildcards; ' +
      'leaves routines and events out',
  },
  {
    name: 'RESTORE_AS',
    flag: 'as',
    default: 'its own name',
    meaning: 'restore: name of the database to load into, with a single one in DATABASES',
  },
  {
    name: 'RESTORE_TRANSACTION_MB',
    flag: 'transaction-mb',
    default: '16',
    meaning: 'restore: rows are committed after about this many MiB, 1 to 128',
  },
  {
    name: 'RESTORE_SCHEMA_ONLY',
    flag: 'schema-only',
    default: 'false',
    meaning: 'restore: everything but rows',
    switch: true,
  },
  {
    name: 'RESTORE_DATA_ONLY',
    flag: 'data-only',
    default: 'false',
    meaning: 'restore: rows only, into tables that are there and empty',
    switch: true,
  },
  {
    name: 'RESTORE_OVERWRITE',
    flag: 'overwrite',
    default: 'false',
    meaning:
      'restore: replace what is there under the names that are restored, ' +
      'or resume a restore that was left for more than a day; otherwise that is refused',
    switch: true,
  },
  {
    name: 'RESTORE_DRY_RUN',
    flag: 'dry-run',
    default: 'false',
    meaning: 'restore: look at everything, print the plan, change nothing',
    switch: true,
  },
  {
    name: 'RESTORE_CHECK',
    flag: 'check',
    default: 'false',
    meaning: 'restore: afterwards compare rows and definitions in the server with the backup',
    switch: true,
  },
  {
    name: 'VERIFY_FULL',
    flag: 'full',
    default: 'false',
    meaning: 'verify: read every object and compare its content',
    switch: true,
  },
  {
    name: 'LIST_ALL',
    flag: 'all',
    default: 'false',
    meaning: 'list: every source, also where SOURCE is set',
    switch: true,
  },
  {
    name: 'JSON_OUTPUT',
    flag: 'json',
    default: 'false',
    meaning:
      'list, verify, restore: the result as one JSON document on standard output, ' +
      'the log on standard error',
    switch: true,
  },
] as const satisfies readonly Variable[];

export type VariableName = (typeof VARIABLES)[number]['name'];

/**
 * Variables of the AWS SDK that this program reads too. The SDK reads the rest of its chain itself.
 */
export const SDK_VARIABLES = { region: 'AWS_REGION' } as const;
