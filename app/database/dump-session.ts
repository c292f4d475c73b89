import { Failure, messageOf } from '../errors.ts';
import type { SessionSettings } from '../mydumper/option-file.ts';
import type { Database } from './connection.ts';

/**
 * Timeouts, raised as far as the server allows: a paused mydumper reads nothing, and a server that
 * times out drops rows.
 */
const PATIENCE: SessionSettings = {
  // The largest values MySQL and MariaDB accept on every platform.
  net_write_timeout: 2_147_483,
  net_read_timeout: 2_147_483,
  wait_timeout: 2_147_483,
  // 0 switches these off. The first two are MariaDB's, the last MySQL's. Statement timers keep
  // running while mydumper is paused.
  idle_transaction_timeout: 0,
  idle_readonly_transaction_timeout: 0,
  max_statement_time: 0,
  max_execution_time: 0,
};

/** Network paths on AWS drop connections that are idle for 350 s. */
const NETWORK_PATIENCE_SECONDS = 300;
/** Share of the server's timeout after which a paused mydumper must read again. */
const PATIENCE_SHARE = 0.6;

/** A value that a session variable must have for a right dump, and how the server shows it. */
type Required = {
  readonly value: number | string;
  readonly shown: string;
  readonly breaks: string;
};

/**
 * Variables for which a server default can make mydumper write a wrong dump, or none. Each was
 * tried with both generations (test/database/dump-session.test.ts).
 */
const REQUIRED: Readonly<Record<string, Required>> = {
  sql_select_limit: {
    value: '18446744073709551615',
    shown: '18446744073709551615',
    breaks: 'mydumper would write only the first rows of each table',
  },
  sql_big_selects: {
    value: 1,
    shown: 'ON',
    breaks: 'the server would refuse to read large tables',
  },
  sql_quote_show_create: {
    value: 1,
    shown: 'ON',
    breaks: 'the dump would hold names without quotes',
  },
  // mydumper 1.x plans its chunks with EXPLAIN. MySQL 9's default, TREE, crashes it.
  explain_format: {
    value: "'TRADITIONAL'",
    shown: 'TRADITIONAL',
    breaks: 'mydumper 1.x would crash',
  },
};

export type DumpSession = {
  /** Settings of each connection of mydumper, by name of the variable. */
  readonly session: SessionSettings;
  /** How long a paused dump may read nothing: the lower of the server's and the network's limit. */
  readonly patienceSeconds: number;
};

/**
 * Finds the session settings a dump needs, by trying each on our own connection. Leaves out
 * variables that the server does not know.
 * @throws Failure `preflight` naming a setting that the server refuses and that the dump cannot do
 *   without.
 */
export async function planDumpSession(database: Database): Promise<DumpSession> {
  const { session, patienceSeconds } = await raisePatience(database);
  return { session: { ...session, ...(await requireSettings(database)) }, patienceSeconds };
}

async function raisePatience(database: Database): Promise<DumpSession> {
  const session: Record<string, number> = {};
  let patienceSeconds = NETWORK_PATIENCE_SECONDS;
  for (const [name, wanted] of Object.entries(PATIENCE)) {
    if ((await readSetting(database, name)) === undefined) continue;
    await set(database, name, wanted).catch(() => {});
    const after = Number(await readSetting(database, name));
    if (after === wanted) {
      session[name] = after;
      continue;
    }
    const seconds = name === 'max_execution_time' ? after / 1000 : after;
    if (seconds > 0) patienceSeconds = Math.min(patienceSeconds, seconds * PATIENCE_SHARE);
  }
  return { session, patienceSeconds };
}

async function requireSettings(database: Database): Promise<SessionSettings> {
  const session: Record<string, number | string> = {};
  for (const [name, { value, shown, breaks }] of Object.entries(REQUIRED)) {
    const before = await readSetting(database, name);
    if (before === undefined) continue;
    const error = await set(database, name, value).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    session[name] = value;
    if ((await readSetting(database, name)) === shown) continue;
    const why = error === undefined ? '' : `: ${messageOf(error)}`;
    throw new Failure(
      'preflight',
      `the server does not let this user set ${name}=${shown} for its session${why}. ` +
        `Without it ${breaks}; set it for all sessions (SET GLOBAL ${name} = ${value})`,
    );
  }
  return session;
}

async function set(database: Database, name: string, value: number | string): Promise<void> {
  await database.query(`SET SESSION ${name} = ${value}`);
}

/** @returns undefined for a variable the server does not know. */
async function readSetting(database: Database, name: string): Promise<string | undefined> {
  const [row] = await database.query('SHOW SESSION VARIABLES WHERE Variable_name = ?', [name]);
  return row === undefined ? undefined : String(row.Value);
}
