import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { MariaDb } from './harness.ts';

/** How a tool's run ended. */
export interface ToolResult {
  /**
   * Exit code; 128 plus the signal's number (139 for a crash) when a signal ended it, 127 when it
   * could not be started.
   */
  readonly exitCode: number;
  /** Standard output and error together. */
  readonly output: string;
  /**
   * The lines of `output` that report an error or a warning. A load with such a line is faulty,
   * regardless of the exit code.
   */
  readonly problems: readonly string[];
}

function quoteOption(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/**
 * Runs `tool` with the server's address and root's password in a private option file that is
 * removed afterwards.
 */
async function runTool(
  tool: string,
  db: MariaDb,
  args: readonly string[],
  options: ToolOptions,
): Promise<ToolResult> {
  const dir = await mkdtemp(join(tmpdir(), 'mdb-tool-'));
  try {
    const defaults = join(dir, 'my.cnf');
    const lines = [
      `host=${db.host}`,
      `port=${db.port}`,
      `user=${db.user}`,
      `password=${quoteOption(db.password)}`,
    ];
    await writeFile(defaults, `[client]\n${[...lines, ...(options.client ?? [])].join('\n')}\n`, {
      mode: 0o600,
    });
    const child = spawn(tool, [`--defaults-file=${defaults}`, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // mydumper 0.10 sets no locale, so GLib would refuse arguments that are not ASCII but for
      // this variable of its own.
      env: { ...process.env, CHARSET: 'UTF-8' },
      timeout: options.timeoutMs ?? 120_000,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output += chunk;
      });
    }
    const exitCode = await new Promise<number>((resolve) => {
      child.on('error', (error) => {
        output += `${error.message}\n`;
        resolve(127);
      });
      child.on('close', (code, signal) => {
        if (signal !== null) output += `ERROR: ended by ${signal}\n`;
        resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
      });
    });
    const problems = output
      .split('\n')
      .filter((line) => /CRITICAL|ERROR|WARNING|Error |failed|ENOENT/i.test(line));
    return { exitCode, output, problems };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Options common to the tools' runs. */
export interface ToolOptions {
  /**
   * Threads. The default is 4 for mydumper, 1 for myloader 0.10, and 2 for myloader 1.x, its
   * minimum.
   */
  readonly threads?: number;
  /** The tool's path; the first on the PATH when not given. */
  readonly tool?: string;
  /** Further arguments. */
  readonly args?: readonly string[];
  /**
   * Time limit in milliseconds, after which the tool is killed (exit code 137); two minutes when
   * not given.
   */
  readonly timeoutMs?: number;
  /** Lines added to the option file's `[client]` section, such as `init-command=…`. */
  readonly client?: readonly string[];
}

/**
 * Loads a dump with plain `myloader -d`. Never rejects because of the tool's errors: look at
 * `exitCode` and `problems`.
 *
 * myloader 0.10 loads tables (foreign keys unchecked), rows, then routines and events, views, and
 * last triggers, so that none disturbs another. It needs a `max_allowed_packet` above the largest
 * statement, and an account that may set definers. Its default here is one thread: several that
 * insert into one table have met `Deadlock found when trying to get lock`, after which myloader
 * continues without these rows. An event that is due runs as soon as it is created: a server with
 * `event_scheduler=ON` should have it off while loading.
 */
export async function loadWithMyloader(
  db: MariaDb,
  directory: string,
  options: ToolOptions = {},
): Promise<ToolResult> {
  const { tool = 'myloader' } = options;
  const { stdout } = await promisify(execFile)(tool, ['--version']);
  const threads = options.threads ?? (stdout.startsWith('myloader 0.') ? 1 : 2);
  const args = ['-d', directory, '-t', String(threads), '-v', '3', ...(options.args ?? [])];
  return runTool(tool, db, args, options);
}

/**
 * Dumps with plain `mydumper -o`, all databases but the system's own unless `args` say otherwise.
 */
export async function dumpWithMydumper(
  db: MariaDb,
  directory: string,
  options: ToolOptions = {},
): Promise<ToolResult> {
  const extra = options.args ?? [];
  const selected = extra.some((arg) => /^(-B|-T|-x|--database|--tables-list|--regex)/.test(arg));
  const regex = selected
    ? []
    : ['--regex', '^(?!(mysql|sys|performance_schema|information_schema)(\\.|$))'];
  const args = ['-o', directory, '-t', String(options.threads ?? 4), '-v', '3', ...regex, ...extra];
  return runTool(options.tool ?? 'mydumper', db, args, options);
}
