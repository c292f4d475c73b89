import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ServerConfig } from '../config.ts';
import { modeOf, type SessionCipher } from '../database/tls.ts';
import { Failure } from '../errors.ts';
import { CHECK_DIRECTORY, type Staging } from '../staging/directory.ts';
import { within } from '../within.ts';
import { connectionFlags } from './arguments.ts';
import { takeRegex } from './database-regex.ts';
import { clientLines, quoteOption, writeOptionFile } from './option-file.ts';
import { startTool } from './process.ts';
import type { ToolTls } from './tls.ts';
import { describeTool, type MydumperVersion } from './version.ts';

/** A connection hangs when the network drops its packets. The run itself reports that later. */
const LONGEST_SECONDS = 20;

/** The server's answer to mydumper's first statement after the login. */
const CONNECTED = 'mydumper-fargate connected';

export type ConnectionCheck = {
  readonly tool: MydumperVersion;
  /** Path of mydumper. */
  readonly binary: string;
  readonly searchPath: string;
  readonly server: ServerConfig;
  readonly tls: ToolTls;
  /** Of our own connection; undefined when the server shows none. */
  readonly cipher: SessionCipher | undefined;
  /** MYDUMPER_ARGS. Some of them set up connections. */
  readonly extraArguments: readonly string[];
  readonly staging: Pick<Staging, 'directory' | 'optionFile'>;
  readonly signal: AbortSignal;
};

/**
 * Lets mydumper connect as it will for the dump. Its client library knows other logins and TLS
 * modes than ours.
 *
 * The library first sends the statements of `init-command`. The last of them raises an error of our
 * own, which ends the session, so mydumper does nothing else.
 *
 * Ignores any other output of mydumper: the run itself reports it.
 * @throws Failure `preflight` when mydumper cannot connect, or when only one of its connection and
 *   ours uses TLS.
 */
export async function checkConnection(check: ConnectionCheck): Promise<void> {
  const said = await connectOnce(check);
  const text = said.join('\n');
  const connected = new RegExp(`${CONNECTED}(?: <(.*?)>)?`).exec(text);
  if (connected !== null) {
    requireSameTls(check, connected[1]);
    return;
  }
  const message = /Error connect(?:ing|ion) to database: (.*)/.exec(text)?.[1];
  if (message === undefined) return;
  const reason = refusalOf(check, message);
  if (reason !== undefined) throw new Failure('preflight', reason);
}

async function connectOnce(check: ConnectionCheck): Promise<string[]> {
  const { tool, binary, searchPath, server, staging, signal } = check;
  const directory = join(staging.directory, CHECK_DIRECTORY);
  const said: string[] = [];
  mkdirSync(directory, { mode: 0o700 });
  try {
    writeOptionFile(staging.optionFile, optionFileOf(check));
    const command = [
      binary,
      `--defaults-file=${staging.optionFile}`,
      ...mydumperFlags(check, directory),
      '--threads=2',
      '--verbose=3',
      ...connectionFlags(server, tool.generation, check.tls),
    ];
    const running = await startTool({ kind: 'preflight', command, searchPath }, (line) =>
      said.push(line),
    );
    signal.addEventListener('abort', running.kill, { once: true });
    if (signal.aborted) running.kill();
    try {
      await within(LONGEST_SECONDS * 1000, running.exited);
    } finally {
      signal.removeEventListener('abort', running.kill);
      running.kill();
      await running.exited;
    }
  } finally {
    rmSync(staging.optionFile, { force: true });
    rmSync(directory, { recursive: true, force: true });
  }
  return said;
}

function optionFileOf({ server, tls, cipher }: ConnectionCheck): string {
  const statements =
    cipher === undefined
      ? [`SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = '${CONNECTED}'`]
      : [
          `SELECT VARIABLE_VALUE INTO @cipher FROM ${cipher.from}`,
          `SET @cipher = CONCAT('${CONNECTED} <', @cipher, '>')`,
          "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = @cipher",
        ];
  const lines = [
    ...clientLines(server, tls),
    ...statements.map((sql) => `init-command=${quoteOption(sql)}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** Selects nothing, in case a library does not send our statements. */
function mydumperFlags({ tool, extraArguments }: ConnectionCheck, directory: string): string[] {
  return [
    `--outputdir=${directory}`,
    '--no-schemas',
    '--no-data',
    '--regex=\\A(?!)',
    tool.generation === 'classic' ? '--no-locks' : '--sync-thread-lock-mode=NO_LOCK',
    ...takeRegex(extraArguments).passed,
  ];
}

/** Compares what the server reports for both sessions. They agree even when a proxy ends TLS. */
function requireSameTls(
  { tool, server, cipher }: ConnectionCheck,
  theirs: string | undefined,
): void {
  if (cipher === undefined || theirs === undefined || (theirs === '') === (cipher.ours === ''))
    return;
  const how = (name: string) => (name === '' ? 'without TLS' : 'with TLS');
  throw new Failure(
    'preflight',
    `TLS_MODE=${modeOf(server)}: ${describeTool(tool)} connects ${how(theirs)}, ` +
      `our own connection ${how(cipher.ours)}; set MYDUMPER_BIN to another build`,
  );
}

/** Why mydumper cannot connect although our own connection can. Undefined for any other error. */
function refusalOf({ tool, server }: ConnectionCheck, message: string): string | undefined {
  const shown = describeTool(tool);
  const plugin = /plugin '?(\w+)'? (?:cannot|could not) be loaded/i.exec(message)?.[1];
  if (plugin === 'mysql_native_password')
    return (
      `${shown} cannot log in as ${server.user}: ` +
      `that library has no ${plugin}, which the account uses. ` +
      'On MySQL change the account to caching_sha2_password (ALTER USER); ' +
      `on MariaDB set MYDUMPER_BIN to a build with MariaDB's client library`
    );
  if (plugin !== undefined) {
    const wayOut =
      tool.library.product === 'MariaDB'
        ? 'install the plugins of that library (package libmariadb3 of Debian and Ubuntu)'
        : 'change the account';
    return (
      `${shown} cannot log in as ${server.user}: ` +
      `it has no plugin file for ${plugin}, which the account uses; ` +
      `${wayOut}, or set MYDUMPER_BIN to another build (${message})`
    );
  }
  if (/requires secure connection/.test(message))
    return `${shown} cannot log in as ${server.user} without TLS: ${message} Set TLS_MODE=required`;
  if (/TLS\/SSL error|SSL connection error/.test(message))
    return (
      `TLS_MODE=${modeOf(server)}: ${shown} refuses the server ` +
      `that our own connection accepts: ${message}`
    );
  if (
    /Access denied for user|insecure transport|Can't connect to|Authentication plugin/.test(message)
  )
    return `${shown} cannot connect as ${server.user}, as our own connection can: ${message}`;
  return undefined;
}
