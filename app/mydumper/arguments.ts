import type { ServerConfig } from '../config.ts';
import { type Contents, hasNonTransactionalTables } from '../manifest/completeness.ts';
import type { ToolTls } from './tls.ts';
import type { Generation } from './version.ts';

/** Schemas that servers keep for themselves; dumped only when DATABASES names them. */
export const SYSTEM_SCHEMAS = ['mysql', 'sys', 'information_schema', 'performance_schema'] as const;

/** How mydumper is told to lock; chosen in preflight. */
export type LockPlan = 'ftwrl' | 'lock-all' | 'safe-no-lock' | 'none';

export type DumpPlan = {
  readonly generation: Generation;
  readonly directory: string;
  readonly optionFile: string;
  readonly threads: number;
  readonly chunkMiB: number;
  readonly statementBytes: number;
  /** As asked for; empty for all but system schemas. */
  readonly databases: readonly string[];
  /** What the server has of them. */
  readonly contents: Contents;
  readonly lock: LockPlan;
  /** Names of the server's engines, as SHOW CREATE TABLE writes them. */
  readonly engines: readonly string[];
  /** `<product>-<version>` where 1.x would not recognise the server by itself. */
  readonly serverVersion: string | undefined;
  /** Numbers of the server's errors that 1.x must not take for a failed dump. */
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

/**
 * mydumper's argv (without argv[0]). It holds no secret and is recorded in the manifest as it is.
 */
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
    // Names the columns. Without it 1.x leaves invisible columns out, and 0.10 writes the last row
    // of a table with generated columns so that it does not load.
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
    // With one database named, 0.10 avoids the race in which it starts before it has listed all.
    ...(first !== undefined && others.length === 0 ? [`--database=${first}`] : []),
  ];
}

function modernFlags(plan: DumpPlan, defined: readonly string[] | 'all'): string[] {
  const databases = defined === 'all' ? plan.contents.databases : defined;
  const list = databases.join(',');
  const { engines, serverVersion, ignoredErrors } = plan;
  return [
    // Our own marker and option file are in the directory; without it 1.x refuses to start there.
    '--dirty',
    // Other sessions' DDL does not wait for the dump; a table altered meanwhile makes the dump
    // fail.
    '--skip-ddl-locks',
    // By default 1.x asks for each definition in its table's own character set and says of the file
    // that it holds bytes. Then comments, defaults and ENUM members change or do not load, tables
    // with odd names are not found, and tables in UCS-2, UTF-16 or UTF-32 end the dump. Rows stay
    // bytes.
    `--default-character-set=${DEFINITIONS_AND_ROWS}`,
    `--set-names=${DEFINITIONS_AND_ROWS}`,
    // One SELECT for each table. 1.x would split tables into chunks, whose bounds it asks for
    // between two SELECTs; where the connection is lost at that moment it takes no answer for no
    // more rows, logs nothing and ends with 0. A connection lost within a SELECT is logged.
    '--rows=-1',
    // Without the list 1.x also opens databases that are not dumped, and fails where it may not.
    ...(isListable(databases, list) ? [`--database=${list}`] : []),
    // 1.x refuses tables of engines outside this list. Its other way, --trx-tables=0, locks those
    // tables in each thread, and LOCK TABLES ends the snapshot that the thread needs for all
    // others.
    ...(hasNonTransactionalTables(plan.contents)
      ? [`--optimize-keys-engines=${engines.join(',')}`]
      : []),
    ...(serverVersion === undefined ? [] : [`--server-version=${serverVersion}`]),
    ...(ignoredErrors.length === 0 ? [] : [`--ignore-errors=${ignoredErrors.join(',')}`]),
  ];
}

/** mydumper never opens these. */
const NEVER_OPENED: ReadonlySet<string> = new Set([
  'information_schema',
  'performance_schema',
  'data_dictionary',
]);

/**
 * The databases that mydumper looks into, also where it is not to dump them, of those the user can
 * see.
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

/** Character sets of 1.x for the files of definitions and for those of rows. */
const DEFINITIONS_AND_ROWS = 'utf8mb4,binary';

/** 1.x splits the list at commas and writes the names into statements without quoting them. */
function isListable(names: readonly string[], list: string): boolean {
  return (
    names.length > 0 && list.length <= LONGEST_LIST && !names.some((name) => /[,'\\]/.test(name))
  );
}

/**
 * Where all tables are transactional, 0.10 need not hold its locks beyond the start of its
 * transactions. Table locks it must not hold longer in any case: a writer that waits for such a
 * lock makes readers of the same table wait behind it, mydumper's own too if the table is of an
 * engine like MyISAM, and then mydumper, the writer and all after them wait for each other for
 * ever.
 */
function releasesLocksEarly({ lock, contents }: DumpPlan): boolean {
  return lock === 'lock-all' || (lock === 'ftwrl' && !hasNonTransactionalTables(contents));
}

/** Where and as whom to connect, without the password. */
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
 * MariaDB's client library takes `localhost` for its default unix socket, whatever the port.
 * 1.x has the flag `--protocol=tcp` against it, 0.10 has none.
 */
function tcpHost(host: string, generation: Generation): string {
  return generation === 'classic' && host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
}

/** The user's own `--regex`, which must be joined with ours, taken out of the flags. */
export function takeRegex(words: readonly string[]): {
  passed: string[];
  regex: string | undefined;
} {
  const passed: string[] = [];
  let regex: string | undefined;
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? '';
    const inline = /^--regex=(.*)$/s.exec(word);
    if (inline !== null) regex = inline[1];
    else if (word === '--regex' || word === '-x') {
      index += 1;
      regex = words[index];
    } else passed.push(word);
  }
  return { passed, regex };
}

/**
 * The filter of databases, joined with the user's own expression, which selects tables. mydumper
 * matches it against `database.table`. For the definition of a database, 0.10 matches
 * `database.(null)` and 1.x the bare name; it is written for each database in `defined`. Both
 * generations match without regard to case and let `^` and `$` stand at any line end: hence
 * `(?-i:)`, `\A` and `\z`. 0.10 has no other way to take several databases.
 */
export function databaseRegex(
  databases: readonly string[],
  expression?: string,
  defined: readonly string[] | 'all' = 'all',
): string {
  const ours =
    databases.length === 0
      ? `(?!(?:${anyOf(SYSTEM_SCHEMAS)})(?:\\.|\\z))`
      : `(?=(?-i:${anyOf(databases)})(?:\\.|\\z))`;
  if (expression === undefined) return `\\A${ours}`;
  const definition = defined === 'all' ? '[^.]*' : `(?-i:${anyOf(defined)})`;
  return `\\A${ours}(?=${definition}(?:\\.\\(null\\))?\\z|[\\s\\S]*?(?:${expression}))`;
}

/**
 * Of names in one argument, in characters: Linux takes 128 KiB (MAX_ARG_STRLEN), a name's character
 * up to 4 bytes.
 */
const LONGEST_LIST = 24 * 1024;
/** Read by JavaScript in another way than by PCRE, without a complaint. */
const READ_DIFFERENTLY = /\[[:.=]/;

/**
 * The databases whose definitions belong to what the user's expression selects. Where JavaScript
 * cannot read the expression as PCRE does, it is all of them: a definition too many does no harm.
 */
export function databasesSelectedBy(
  expression: string,
  contents: Contents,
): readonly string[] | 'all' {
  if (READ_DIFFERENTLY.test(expression)) return 'all';
  let pattern: RegExp;
  try {
    // `u` makes an error of each escape that JavaScript does not know, such as PCRE's \A.
    pattern = new RegExp(expression, 'imu');
  } catch {
    return 'all';
  }
  const { tables, views } = contents;
  const selected = [...tables, ...views].filter(({ database, table }) =>
    pattern.test(`${database}.${table}`),
  );
  const names = [...new Set(selected.map(({ database }) => database))];
  return names.length === 0 || names.join('|').length > LONGEST_LIST ? 'all' : names;
}

function anyOf(names: readonly string[]): string {
  return names.map(escapeRegex).join('|');
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/#\s-]/g, '\\$&');
}
