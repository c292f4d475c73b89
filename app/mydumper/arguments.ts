import type { ServerConfig } from '../config.ts';
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
  /** Set when there is but one to dump. */
  readonly onlyDatabase: string | undefined;
  readonly lock: LockPlan;
  /** Non-transactional tables are among what is dumped. */
  readonly hasNonTransactionalTables: boolean;
  readonly extraArguments: readonly string[];
  readonly server: ServerConfig;
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

/** mydumper's argv (without argv[0]). It holds no secret and is recorded in the manifest as it is. */
export function mydumperArguments(plan: DumpPlan): string[] {
  const { passed, regex } = takeRegex(plan.extraArguments);
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
    `--regex=${databaseRegex(plan.databases, regex)}`,
    ...connectionFlags(plan.server, plan.generation),
    ...LOCK_FLAGS[plan.generation][plan.lock],
    ...(plan.generation === 'classic'
      ? // Without it 0.10 writes the last row of a table with generated columns without naming the others, which does not load.
        // And with one database named it is spared the race in which it starts before all are listed.
        [
          '--complete-insert',
          ...(releasesLocksEarly(plan) ? ['--trx-consistency-only'] : []),
          ...(plan.onlyDatabase === undefined ? [] : [`--database=${plan.onlyDatabase}`]),
        ]
      : [
          // Our own marker and option file are there, and 1.x wants to be told that this is fine.
          '--dirty',
          // Keeps other sessions' DDL from waiting for the whole dump; a table altered under it makes the dump fail instead.
          '--skip-ddl-locks',
          ...(plan.hasNonTransactionalTables ? ['--trx-tables=0'] : []),
        ]),
    ...passed,
  ];
}

/**
 * Where all tables are transactional, 0.10 need not hold its locks beyond the start of its transactions. Table locks it must not
 * hold longer in any case: a writer that waits for such a lock makes readers of the same table wait behind it, mydumper's own
 * too if the table is of an engine like MyISAM, and then mydumper, the writer and all after them wait for each other for ever.
 */
function releasesLocksEarly({ lock, hasNonTransactionalTables }: DumpPlan): boolean {
  return lock === 'lock-all' || (lock === 'ftwrl' && !hasNonTransactionalTables);
}

/** Where and as whom to connect, without the password. */
export function connectionFlags(server: ServerConfig, generation: Generation): string[] {
  const { mode, caFile } = server.tls;
  const flags = [`--user=${server.user}`];
  if (server.socket === undefined)
    flags.push(`--host=${tcpHost(server.host, generation)}`, `--port=${server.port}`);
  else flags.push(`--socket=${server.socket}`);
  if (mode === undefined || mode === 'disabled' || mode === 'preferred') return flags;
  if (generation === 'classic') flags.push('--ssl');
  else flags.push(`--ssl-mode=${mode === 'required' ? 'REQUIRED' : 'VERIFY_IDENTITY'}`);
  if (caFile !== undefined) flags.push(`--ca=${caFile}`);
  return flags;
}

/**
 * MariaDB's client library takes `localhost` for its default unix socket, whatever the port, and does not understand
 * `protocol=tcp` in an option file; 0.10 has no option for it.
 */
function tcpHost(host: string, generation: Generation): string {
  return generation === 'classic' && host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
}

/** The user's own `--regex`, which must be joined with ours, taken out of the flags. */
function takeRegex(words: readonly string[]): { passed: string[]; regex: string | undefined } {
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
 * mydumper matches it against `database.table`, and against `database.(null)` for the database itself, without regard to
 * case unless told otherwise: hence `(?-i)`. 0.10 has no other way to take several databases.
 */
export function databaseRegex(databases: readonly string[], also?: string): string {
  const names = (list: readonly string[]) => list.map(escapeRegex).join('|');
  const ours =
    databases.length === 0 ? `(?!(?:${names(SYSTEM_SCHEMAS)})\\.)` : `(?=(?-i:${names(databases)})\\.)`;
  return also === undefined ? `^${ours}` : `^${ours}(?=[\\s\\S]*?(?:${also}))`;
}

function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/#\s-]/g, '\\$&');
}
