import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { COMPILE_CACHE } from './compile-cache.ts';

/**
 * A stand-in for what the real mydumper cannot be made to do: upstream's file names and metadata, stalls, errors after
 * the end, exit 0 over a failure. It takes mydumper's arguments and does what its script says, in order.
 */
export type FakeStep =
  /** A line on standard error, where mydumper's log goes. */
  | { readonly log: string; readonly repeat?: number }
  /** Opens the file unless it is open, and appends; `repeat` times. */
  | { readonly write: string; readonly text: string; readonly repeat?: number }
  | { readonly close: string }
  | { readonly rename: readonly [from: string, to: string] }
  | { readonly remove: string }
  | { readonly symlink: readonly [target: string, name: string] }
  | { readonly makeDirectory: string }
  | { readonly makeFifo: string }
  /** Goes on once this file, outside staging, is there. */
  | { readonly waitForFile: string }
  /** Goes on once this name is no longer in staging: what had it was shipped. */
  | { readonly waitUntilGone: string }
  /** Starts a process of its group that holds its standard error open, ignores signals and does not end by itself. */
  | { readonly leaveChild: true }
  /** Copies the option file it was given, with its mode, to a path outside staging. */
  | { readonly recordOptionFile: string }
  | { readonly sleepMilliseconds: number }
  /** Signals that can be ignored are, from here on. */
  | { readonly ignoreSignals: true }
  /** Writes its arguments, one a line, to a path outside staging. */
  | { readonly recordArguments: string }
  | { readonly killItself: NodeJS.Signals }
  | { readonly exit: number };

export type FakeScript = {
  /** What `--version` prints. */
  readonly version: string;
  /** What `--version` does instead of ending with 0. */
  readonly versionCommand?: 'fails' | 'hangs';
  readonly steps: readonly FakeStep[];
};

export const UPSTREAM_VERSION = 'mydumper v1.0.1-3, built against MySQL 9.7.0 with SSL support';

const POLL_MILLISECONDS = 5;

/** Writes an executable into `directory` that plays `script`; its path is what MYDUMPER_BIN takes. */
export function writeFakeMydumper(directory: string, script: FakeScript): string {
  mkdirSync(directory, { recursive: true });
  const scriptPath = join(directory, 'script.json');
  writeFileSync(scriptPath, JSON.stringify(script));
  const path = join(directory, 'mydumper');
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const self = fileURLToPath(import.meta.url);
  const play = [process.execPath, self, scriptPath].map(quote).join(' ');
  writeFileSync(
    path,
    `#!/bin/sh
${script.versionCommand === 'hangs' ? '' : versionLine(script, quote)}
export NODE_COMPILE_CACHE=${quote(COMPILE_CACHE)}
exec ${play} "$@"
`,
    { mode: 0o755 },
  );
  return path;
}

/** In the shell: starting Node for a line of text takes longer than all else of a short run. */
function versionLine({ version, versionCommand }: FakeScript, quote: (text: string) => string): string {
  const status = versionCommand === 'fails' ? 1 : 0;
  return `if [ "$1" = --version ]; then printf '%s\\n' ${quote(version)}; exit ${status}; fi`;
}

/** What upstream writes for one database with one table and one view, and how its log tells it. */
export function upstreamDump(database: string): FakeStep[] {
  const file = (name: string, text: string): FakeStep[] => [{ write: name, text }, { close: name }];
  const insert = "INSERT INTO `orders` VALUES(1,'one'),(2,'two');\n";
  return [
    { log: '2026-11-24 08:00:00 [INFO] - MyDumper backup version: 1.0.1-3' },
    {
      write: 'metadata.partial',
      text: '# Started dump at: 2026-11-24 08:00:00\n[config]\nquote-character = BACKTICK\n\n',
    },
    { log: '2026-11-24 08:00:00 [INFO] - Transactions started, unlocking tables' },
    ...file(`${database}-schema-create.sql`, `CREATE DATABASE \`${database}\`;\n`),
    ...file(`${database}.orders-schema.sql`, 'CREATE TABLE `orders` (`id` int, `name` text);\n'),
    {
      log: `2026-11-24 08:00:00 [INFO] - Thread 1: dumping data for \`${database}\`.\`orders\` into ${database}.orders.00000.sql`,
    },
    ...file(`${database}.orders.00000.sql`, insert),
    ...file(`${database}.orders.00000.00001.sql`, insert),
    ...file(`${database}.mydumper_0.00000.sql`, 'INSERT INTO `a/b` VALUES(1);\n'),
    ...file(`${database}.totals-schema-view.sql`, 'CREATE VIEW `totals` AS SELECT 1;\n'),
    ...file(`${database}-schema-post.sql`, 'CREATE PROCEDURE `p`() SELECT 1;\n'),
    {
      write: 'metadata.partial',
      text:
        '[source]\n# Channel_Name = \'\'\nFile = binlog.000007\nPosition = 4711\nExecuted_Gtid_Set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-5"\n\n' +
        `[\`${database}\`.\`mydumper_0\`]\nreal_table_name=a/b\nrows = 1\n\n# Finished dump at: 2026-11-24 08:00:01\n`,
    },
    { close: 'metadata.partial' },
    { rename: ['metadata.partial', 'metadata'] },
    { log: '2026-11-24 08:00:01 [INFO] - Finished dump at: 2026-11-24 08:00:01' },
  ];
}

const IGNORED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTSTP'] as const;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(POLL_MILLISECONDS);
}

/** Its command line ends in `directory`, by which a test finds it. */
function leaveChild(directory: string): void {
  const ignore = IGNORED.map((signal) => `process.on('${signal}', () => {});`).join('');
  const code = `${ignore} setTimeout(() => {}, 600_000)`;
  spawn(process.execPath, ['-e', code, directory], { stdio: ['ignore', 'ignore', 'inherit'] }).unref();
}

async function play(script: FakeScript, argv: readonly string[]): Promise<never> {
  // Only one that hangs gets here: as this process, which a test finds by its arguments.
  if (argv.includes('--version')) await sleep(600_000);
  const directory = argv.find((word) => word.startsWith('--outputdir='))?.slice('--outputdir='.length);
  if (directory === undefined) throw new Error('the fake mydumper needs --outputdir=');
  const open = new Map<string, number>();
  for (const step of script.steps) {
    if ('log' in step) writeSync(2, `${step.log}\n`.repeat(step.repeat ?? 1));
    else if ('write' in step) {
      const descriptor = open.get(step.write) ?? openSync(join(directory, step.write), 'a');
      open.set(step.write, descriptor);
      for (let count = 0; count < (step.repeat ?? 1); count += 1) writeSync(descriptor, step.text);
    } else if ('close' in step) {
      closeSync(open.get(step.close) ?? -1);
      open.delete(step.close);
    } else if ('rename' in step) renameSync(join(directory, step.rename[0]), join(directory, step.rename[1]));
    else if ('remove' in step) unlinkSync(join(directory, step.remove));
    else if ('symlink' in step) symlinkSync(step.symlink[0], join(directory, step.symlink[1]));
    else if ('makeDirectory' in step) mkdirSync(join(directory, step.makeDirectory));
    else if ('makeFifo' in step) execFileSync('mkfifo', [join(directory, step.makeFifo)]);
    else if ('waitForFile' in step) await until(() => existsSync(step.waitForFile));
    else if ('waitUntilGone' in step) await until(() => !existsSync(join(directory, step.waitUntilGone)));
    else if ('leaveChild' in step) leaveChild(directory);
    else if ('recordOptionFile' in step) {
      const given = argv
        .find((word) => word.startsWith('--defaults-file='))
        ?.slice('--defaults-file='.length);
      copyFileSync(given ?? '', step.recordOptionFile);
      chmodSync(step.recordOptionFile, statSync(given ?? '').mode);
    } else if ('sleepMilliseconds' in step) await sleep(step.sleepMilliseconds);
    else if ('ignoreSignals' in step) {
      for (const signal of IGNORED) process.on(signal, () => {});
    } else if ('recordArguments' in step) writeFileSync(step.recordArguments, argv.join('\n'));
    else if ('killItself' in step) {
      process.kill(process.pid, step.killItself);
      await sleep(60_000);
    } else process.exit(step.exit);
  }
  process.exit(0);
}

const [, self, scriptPath, ...argv] = process.argv;
if (self === fileURLToPath(import.meta.url) && scriptPath !== undefined) {
  await play(JSON.parse(readFileSync(scriptPath, 'utf8')) as FakeScript, argv);
}
