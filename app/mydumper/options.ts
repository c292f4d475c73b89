/** How this program treats an option of mydumper in MYDUMPER_ARGS. */
export type Treatment =
  /** mydumper gets it as it is. */
  | { readonly kind: 'passed' }
  /** Refused, for this reason. */
  | { readonly kind: 'refused'; readonly why: string }
  /** The dump holds less than the databases, or holds them altered. */
  | {
      readonly kind: 'narrows';
      /**
       * Whole objects or all rows of a table may be missing, so the dump cannot be compared with
       * the server's tables.
       */
      readonly objects: boolean;
    };

/** `always` takes the next word in any case, `optional` only when it does not begin with `-`. */
export type TakesValue = 'never' | 'always' | 'optional';

export type Option = {
  readonly long: string;
  readonly short: string | undefined;
  readonly value: TakesValue;
  readonly treatment: Treatment;
};

const PASSED: Treatment = { kind: 'passed' };
const WITHOUT_OBJECTS: Treatment = { kind: 'narrows', objects: true };
const ALTERED: Treatment = { kind: 'narrows', objects: false };
const refused = (why: string): Treatment => ({ kind: 'refused', why });

const OPTION_FILE = refused('an option file is written for each run');
const LOG = refused('its log is read from its output, at a fixed level');
const ONE_BACKUP = refused('one run makes one backup; schedule the task instead');
const LOCKS = refused('set LOCK_MODE');
const SHIPPED = refused('files are shipped from the staging directory');
const STAGING = refused('the staging directory is managed by this program');
const FORMAT = refused('a backup holds SQL statements; leave it out');
const CHARACTER_SET = refused(
  'text would load in another character set than it was written in; leave it out',
);

type Row = readonly [name: string, value: TakesValue, treatment: Treatment];

/**
 * All options of mydumper 0.10, of 1.0.1 and of versions between, as `--help` lists them. The short
 * form stands before the long one.
 */
const ROWS: readonly Row[] = [
  // Options that this program sets itself.
  ['o outputdir', 'always', refused('set OUTPUTDIR')],
  ['F chunk-filesize', 'always', refused('set CHUNK_FILE_SIZE_MB')],
  ['t threads', 'always', refused('set THREADS')],
  ['s statement-size', 'always', refused('it follows from the staging budget')],
  ['B database', 'always', refused('set DATABASES')],
  ['h host', 'always', refused('set HOST')],
  ['P port', 'always', refused('set PORT')],
  ['S socket', 'always', refused('set SOCKET')],
  ['protocol', 'always', refused('set HOST or SOCKET')],
  ['u user', 'always', refused('set USERNAME')],
  ['p password', 'always', refused('set PASSWORD')],
  ['a ask-password', 'never', refused('set PASSWORD')],
  ['defaults-file', 'always', OPTION_FILE],
  ['defaults-extra-file', 'always', OPTION_FILE],
  ['ssl', 'never', refused('set TLS_MODE')],
  ['ssl-mode', 'always', refused('set TLS_MODE')],
  ['ca', 'always', refused('set TLS_CA')],
  ['c compress', 'optional', refused('set COMPRESS')],
  ['v verbose', 'always', LOG],
  ['debug', 'never', LOG],
  ['L logfile', 'always', LOG],
  ['machine-log-json', 'never', LOG],
  ['D daemon', 'never', ONE_BACKUP],
  ['I snapshot-interval', 'always', ONE_BACKUP],
  ['X snapshot-count', 'always', ONE_BACKUP],
  ['k no-locks', 'never', LOCKS],
  ['less-locking', 'never', LOCKS],
  ['lock-all-tables', 'never', LOCKS],
  ['trx-consistency-only', 'never', LOCKS],
  ['trx-tables', 'optional', LOCKS],
  ['no-trx-tables', 'optional', LOCKS],
  ['sync-thread-lock-mode', 'always', LOCKS],
  ['K kill-long-queries', 'never', refused("other people's queries are not killed")],
  ['stream', 'optional', SHIPPED],
  ['exec', 'always', SHIPPED],
  ['exec-threads', 'always', SHIPPED],
  ['exec-per-thread', 'always', SHIPPED],
  ['exec-per-thread-extension', 'always', SHIPPED],
  ['optimize-keys-engines', 'always', refused('it follows from the engines of the tables')],
  ['disk-limits', 'always', refused('set STAGING_LIMIT_MB')],
  ['clear', 'never', STAGING],
  ['dirty', 'never', STAGING],
  ['merge', 'never', STAGING],
  ['masquerade-filename', 'never', refused('the manifest names tables by their files')],
  ['? help', 'never', refused('run mydumper itself')],
  ['V version', 'never', refused('run mydumper itself')],
  ['dry-run', 'never', refused('it would dump nothing; run mydumper itself')],

  // Options that would make a backup that does not load, or loads altered.
  ['format', 'always', PASSED], // treatmentOf refuses some values
  ['load-data', 'never', FORMAT],
  ['csv', 'never', FORMAT],
  ['clickhouse', 'never', FORMAT],
  ['include-header', 'never', FORMAT],
  ['fields-terminated-by', 'always', FORMAT],
  ['fields-enclosed-by', 'always', FORMAT],
  ['fields-escaped-by', 'always', FORMAT],
  ['lines-starting-by', 'always', FORMAT],
  ['lines-terminated-by', 'always', FORMAT],
  ['statement-terminated-by', 'always', FORMAT],
  ['load-data-character-set', 'always', FORMAT],
  ['set-names', 'always', CHARACTER_SET],
  ['default-character-set', 'always', CHARACTER_SET],
  [
    'skip-tz-utc',
    'never',
    refused('TIMESTAMP values would change on a server in another time zone; leave it out'),
  ],
  [
    'compact',
    'never',
    refused('a 0 in an AUTO_INCREMENT column would get a new number; leave it out'),
  ],
  [
    'no-check-generated-fields',
    'never',
    refused('rows of tables with generated columns would not load; leave it out'),
  ],

  // Options that leave something out or alter it.
  ['T tables-list', 'always', WITHOUT_OBJECTS],
  ['O omit-from-file', 'always', WITHOUT_OBJECTS],
  ['x regex', 'always', WITHOUT_OBJECTS],
  ['i ignore-engines', 'always', WITHOUT_OBJECTS],
  ['U updated-since', 'always', WITHOUT_OBJECTS],
  ['partition-regex', 'always', WITHOUT_OBJECTS],
  ['where', 'always', WITHOUT_OBJECTS],
  ['m no-schemas', 'never', WITHOUT_OBJECTS],
  ['d no-data', 'never', WITHOUT_OBJECTS],
  ['W no-views', 'never', WITHOUT_OBJECTS],
  ['views-as-tables', 'never', WITHOUT_OBJECTS],
  ['success-on-1146', 'never', WITHOUT_OBJECTS],
  ['ignore-errors', 'always', WITHOUT_OBJECTS],
  ['z tidb-snapshot', 'always', WITHOUT_OBJECTS],
  ['skip-constraints', 'never', ALTERED],
  ['skip-indexes', 'never', ALTERED],
  ['skip-definer', 'never', ALTERED],
  ['replace-definer', 'always', ALTERED],

  // The rest changes how mydumper makes the dump, not what the dump holds.
  ['r rows', 'always', PASSED],
  ['rows-hard', 'always', PASSED],
  ['max-time-per-select', 'always', PASSED],
  ['max-threads-per-table', 'always', PASSED],
  ['max-rows', 'always', PASSED],
  ['char-deep', 'always', PASSED],
  ['char-chunk', 'always', PASSED],
  ['num-sequences', 'always', PASSED],
  ['max-split-of-step-in-integer-chunk', 'always', PASSED],
  ['max-char-size', 'always', PASSED],
  ['max-items-per-string-chunk', 'always', PASSED],
  ['use-single-column', 'never', PASSED],
  ['split-string-pk', 'never', PASSED],
  ['split-partitions', 'never', PASSED],
  ['use-defer', 'never', PASSED],
  ['order-by-primary', 'never', PASSED],
  ['check-row-count', 'never', PASSED],
  ['bulk-metadata-prefetch', 'never', PASSED],
  ['exit-if-broken-table-found', 'never', PASSED],
  ['e build-empty-files', 'never', PASSED],
  ['N insert-ignore', 'never', PASSED],
  ['replace', 'never', PASSED],
  ['complete-insert', 'never', PASSED],
  ['hex-blob', 'never', PASSED],
  ['tz-utc', 'never', PASSED],
  ['G triggers', 'never', PASSED],
  ['E events', 'never', PASSED],
  ['R routines', 'never', PASSED],
  ['Y all-tablespaces', 'never', PASSED],
  ['table-engine-for-view-dependency', 'always', PASSED],
  ['M checksum-all', 'never', PASSED],
  ['data-checksums', 'never', PASSED],
  ['schema-checksums', 'never', PASSED],
  ['no-schema-checksums', 'never', PASSED],
  ['routine-checksums', 'never', PASSED],
  ['skip-database-checksums', 'never', PASSED],
  ['skip-data-checksums', 'never', PASSED],
  ['skip-table-checksums', 'never', PASSED],
  ['skip-index-checksums', 'never', PASSED],
  ['skip-view-checksums', 'never', PASSED],
  ['skip-trigger-checksums', 'never', PASSED],
  ['skip-routine-checksums', 'never', PASSED],
  ['skip-event-checksums', 'never', PASSED],
  ['skip-metadata-sorting', 'never', PASSED],
  ['source-data', 'optional', PASSED],
  ['replica-data', 'optional', PASSED],
  ['source-control-command', 'always', PASSED],
  ['server-version', 'always', PASSED],
  ['throttle', 'optional', PASSED],
  ['l long-query-guard', 'always', PASSED],
  ['long-query-retries', 'always', PASSED],
  ['long-query-retry-interval', 'always', PASSED],
  ['ftwrl-max-wait-time', 'always', PASSED],
  ['ftwrl-timeout-retries', 'always', PASSED],
  ['use-savepoints', 'never', PASSED],
  ['no-backup-locks', 'never', PASSED],
  ['skip-ddl-locks', 'never', PASSED],
  ['pmm-path', 'always', PASSED],
  ['pmm-resolution', 'always', PASSED],
  ['C compress-protocol', 'never', PASSED],
  ['key', 'always', PASSED],
  ['cert', 'always', PASSED],
  ['capath', 'always', PASSED],
  ['cipher', 'always', PASSED],
  ['tls-version', 'always', PASSED],
  ['enable-cleartext-plugin', 'never', PASSED],
  ['default-connection-database', 'always', PASSED],
];

export const OPTIONS: readonly Option[] = ROWS.map(([names, value, treatment]) => {
  const [first = '', second] = names.split(' ');
  return second === undefined
    ? { long: first, short: undefined, value, treatment }
    : { long: second, short: first, value, treatment };
});

/** The treatment of an option with its value. */
export function treatmentOf({ long, treatment }: Option, value: string | undefined): Treatment {
  return long === 'format' && value?.toUpperCase() !== 'INSERT' ? FORMAT : treatment;
}
