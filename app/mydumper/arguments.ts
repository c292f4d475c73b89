import type { ServerConfig } from '../config.ts';
import { type Contents, hasNonTransactionalTables } from '../manifest/completeness.ts';
import { databaseRegex, databasesSelectedBy, LONGEST_LIST, takeRegex } from './database-regex.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

/** How mydumper locks; preflight chooses it. */
export type LockPlan = 'ftwrl' | 'lock-all' | 'safe-no-lock' | 'none';

export type DumpPlan = {
  readonly generation: Generation;
  readonly directory: string;
  readonly optionFile: string;
  readonly threads: number;
  readonly chunkMiB: number;
  readonly statementBytes: number;
  /** DATABASES; empty for all but system schemas. */
  readonly databases: readonly string[];
  /** The objects that the server has in them. */
  readonly contents: Contents;
  readonly lock: LockPlan;
  /** Names of the server's engines, as SHOW CREATE TABLE writes them. */
  readonly engines: readonly string[];
  /** Columns of the table or view with most of them. */
  readonly mostColumns: number;
  /** `<product>-<version>` when 1.x would not recognise the server by itself. */
  readonly serverVersion: string | undefined;
  /** Server errors, by number, that 1.x must not treat as a failed dump. */
  readonly ignoredErrors: readonly number[];
  readonly extraArguments: readonly string[];
  readonly server: ServerConfig;
  readonly tls: ToolTls;
};

const LOCK_FLAGS: Readonly<Record<Generation, Readonly<Record<LockPlan, readonly string[]>>>> = {
  classic: {
    ftwrl: [],
    'lock-all': ['--lock-all-tables'],
    'safe-no-lock': ['--no-locks'],
    none: ['--no-locks'],
  },
  modern: {
    ftwrl: ['--sync-thread-lock-mode=FTWRL'],
    'lock-all': ['--sync-thread-lock-mode=LOCK_ALL'],
    'safe-no-lock': ['--sync-thread-lock-mode=SAFE_NO_LOCK'],
    none: ['--sync-thread-lock-mode=NO_LOCK'],
  },
};

/** mydumper's argv (without argv[0]). It holds no secret: the manifest records it as it is. */
export function mydumperArguments(plan: DumpPlan): string[] {
  const { passed, regex } = takeRegex(plan.extraArguments);
  const defined = regex === undefined ? undefined : databasesSelectedBy(regex, plan.contents);
  return [
    `--defaults-file=${plan.optionFile}`,
    `--outputdir=${plan.directory}`,
    `--threads=${plan.threads}`,
    `--chunk-filesize=${plan.chunkMiB}`,
    `--statement-size=${plan.statementBytes}`,
    '--verbose=3',
    '--triggers',
    '--events',
    '--routines',
    // Names the columns. Without it 1.x leaves invisible columns out. 0.10 writes the last row of a
    // table with generated columns in a form that does not load.
    '--complete-insert',
    `--regex=${databaseRegex(plan.databases, regex, defined)}`,
    ...connectionFlags(plan.server, plan.generation, plan.tls),
    ...LOCK_FLAGS[plan.generation][plan.lock],
    ...(plan.generation === 'classic' ? classicFlags(plan) : modernFlags(plan, defined ?? 'all')),
    ...passed,
  ];
}

function classicFlags(plan: DumpPlan): string[] {
  const [first, ...others] = plan.contents.databases;
  return [
    ...(releasesLocksEarly(plan) ? ['--trx-consistency-only'] : []),
    // Naming the only database avoids a race of 0.10: it may start before it has listed all
    // databases.
    ...(first !== undefined && others.length === 0 ? [`--database=${first}`] : []),
  ];
}

function modernFlags(plan: DumpPlan, defined: readonly string[] | 'all'): string[] {
  const databases = defined === 'all' ? plan.contents.databases : defined;
  const list = databases.join(',');
  const { engines, serverVersion, ignoredErrors } = plan;
  return [
    // The directory holds our marker and option file. Without the flag 1.x refuses to start there.
    '--dirty',
    // DDL of other sessions does not wait for the dump. When it alters a table meanwhile, the dump
    // fails.
    '--skip-ddl-locks',
    // By default 1.x reads each definition in its table's own character set, and declares the file
    // as bytes. Then comments, defaults and ENUM members change or do not load. 1.x does not find
    // tables with odd names. Tables in UCS-2, UTF-16 or UTF-32 end the dump. Rows stay bytes.
    `--default-character-set=${DEFINITIONS_AND_ROWS}`,
    `--set-names=${DEFINITIONS_AND_ROWS}`,
    // For each view 1.x writes a table too, which the loader replaces by the view. By default that is
    // a MEMORY table, which cannot be created when the first column of the view is TEXT or BLOB.
    `--table-engine-for-view-dependency=${viewEngine(plan.mostColumns)}`,
    // Reads each table by one SELECT. Otherwise 1.x splits tables into chunks, and asks for their
    // bounds between two SELECTs. When the connection is lost at that moment, 1.x treats the
    // missing answer as the end of the rows. It logs nothing and exits with 0. It does log a
    // connection lost within a SELECT.
    '--rows=-1',
    // Without the list 1.x also opens databases that it does not dump, and fails without access to
    // them.
    ...(isListable(databases, list) ? [`--database=${list}`] : []),
    // 1.x refuses tables of engines outside this list. The alternative, --trx-tables=0, locks those
    // tables in each thread. But LOCK TABLES ends the snapshot that the thread needs for all other
    // tables.
    ...(hasNonTransactionalTables(plan.contents)
      ? [`--optimize-keys-engines=${engines.join(',')}`]
      : []),
    ...(serverVersion === undefined ? [] : [`--server-version=${serverVersion}`]),
    ...(ignoredErrors.length === 0 ? [] : [`--ignore-errors=${ignoredErrors.join(',')}`]),
  ];
}

/** No table of InnoDB has more columns. A view may. */
const MOST_COLUMNS_OF_INNODB = 1017;

/** Every server has InnoDB. Some do not accept new tables of MyISAM. */
function viewEngine(mostColumns: number): string {
  return mostColumns <= MOST_COLUMNS_OF_INNODB ? 'InnoDB' : 'MyISAM';
}

/** mydumper never opens these. */
const NEVER_OPENED: ReadonlySet<string> = new Set([
  'information_schema',
  'performance_schema',
  'data_dictionary',
]);

/**
 * The databases that mydumper opens, among those visible to the user. It also opens databases that
 * it does not dump.
 */
export function databasesOpened(
  generation: Generation,
  dumped: readonly string[],
  visible: readonly string[],
): readonly string[] {
  const named =
    generation === 'classic' ? dumped.length === 1 : isListable(dumped, dumped.join(','));
  return named ? dumped : visible.filter((name) => !NEVER_OPENED.has(name.toLowerCase()));
}

/** 1.x splits the list at commas and writes the names into statements without quoting them. */
function isListable(names: readonly string[], list: string): boolean {
  return (
    names.length > 0 && list.length <= LONGEST_LIST && !names.some((name) => /[,'\\]/.test(name))
  );
}

/** Character sets of 1.x for the files of definitions and for those of rows. */
const DEFINITIONS_AND_ROWS = 'utf8mb4,binary';

/**
 * Whether 0.10 releases its locks at the start of its transactions. That is enough when all tables
 * are transactional.
 *
 * It must never hold table locks longer. A writer that waits for such a lock makes readers of the
 * same table wait behind it. Those include mydumper's own readers, if the engine is one like
 * MyISAM. Then mydumper, the writer and all sessions behind them wait for each other for ever.
 */
function releasesLocksEarly({ lock, contents }: DumpPlan): boolean {
  return lock === 'lock-all' || (lock === 'ftwrl' && !hasNonTransactionalTables(contents));
}

/** Address and user of the connection, without the password. */
export function connectionFlags(
  server: ServerConfig,
  generation: Generation,
  tls: ToolTls,
): string[] {
  const address =
    server.socket === undefined
      ? [
          `--host=${tcpHost(server.host, generation)}`,
          `--port=${server.port}`,
          ...(generation === 'modern' ? ['--protocol=tcp'] : []),
        ]
      : [`--socket=${server.socket}`];
  return [`--user=${server.user}`, ...address, ...tls.flags];
}

/**
 * MariaDB's client library takes `localhost` for its default unix socket, regardless of the port.
 * In 1.x the flag `--protocol=tcp` prevents that. 0.10 has no such flag.
 */
function tcpHost(host: string, generation: Generation): string {
  return generation === 'classic' && host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
}
