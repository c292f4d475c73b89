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
import { readTool } from './recording/recording.ts';

/**
 * A stand-in for mydumper. It takes mydumper's arguments and carries out its script's steps in
 * order. It plays recordings of upstream's 1.x (recording/play.ts), which has no package where
 * tests run. It also does what a test cannot make the real one do: stalls, errors after the end,
 * exit 0 despite a failure.
 */
export type FakeStep =
  /** A line on standard error, where mydumper's log goes. `{outputdir}` in it is the directory. */
  | { readonly log: string; readonly repeat?: number; readonly stream?: 'stdout' }
  /** Opens the file unless it is open, and appends; `repeat` times. */
  | {
      readonly write: string;
      readonly text: string;
      readonly encoding?: 'base64';
      readonly repeat?: number;
    }
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
  /**
   * Starts a process of its group. That process holds standard error open, ignores signals and
   * never ends by itself.
   */
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
  /** The connection error that it prints in a check; in one without, it connects. */
  readonly connection?: string;
  readonly steps: readonly FakeStep[];
};

/** What `--version` of upstream's build on MySQL's client library prints. */
export const UPSTREAM_VERSION = readTool('mysql-client').version;

const POLL_MILLISECONDS = 5;

/**
 * Writes an executable into `directory` that plays `script`.
 * @returns its path, for MYDUMPER_BIN.
 */
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
${checkLine(script, quote)}
export NODE_COMPILE_CACHE=${quote(COMPILE_CACHE)}
exec ${play} "$@"
`,
    { mode: 0o755 },
  );
  return path;
}

/** In the shell: starting Node for a line of text takes longer than all else of a short run. */
function versionLine(
  { version, versionCommand }: FakeScript,
  quote: (text: string) => string,
): string {
  const status = versionCommand === 'fails' ? 1 : 0;
  return `if [ "$1" = --version ]; then printf '%s\\n' ${quote(version)}; exit ${status}; fi`;
}

/**
 * In a check of the connection, the option file ends each session with an error (SIGNAL). The
 * stand-in then takes no step.
 */
function checkLine(
  { connection = 'mydumper-fargate connected' }: FakeScript,
  quote: (text: string) => string,
): string {
  const level = '** (mydumper:1): CRITICAL **: 08:00:00.000:';
  const line = `\n${level} Error connection to database: ${connection}`;
  return (
    `if grep -qs 'SIGNAL SQLSTATE' -- "\${1#--defaults-file=}"; then printf '%s\\n' ` +
    `${quote(line)} >&2; exit 1; fi`
  );
}

const IGNORED = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGTSTP'] as const;

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await sleep(POLL_MILLISECONDS);
}

/** Its command line ends in `directory`, by which a test finds it. */
function leaveChild(directory: string): void {
  const ignore = IGNORED.map((signal) => `process.on('${signal}', () => {});`).join('');
  const code = `${ignore} setTimeout(() => {}, 600_000)`;
  spawn(process.execPath, ['-e', code, directory], {
    stdio: ['ignore', 'ignore', 'inherit'],
  }).unref();
}

async function play(script: FakeScript, argv: readonly string[]): Promise<never> {
  // Only one that hangs gets here: as this process, which a test finds by its arguments.
  if (argv.includes('--version')) await sleep(600_000);
  const directory = argv
    .find((word) => word.startsWith('--outputdir='))
    ?.slice('--outputdir='.length);
  if (directory === undefined) throw new Error('the fake mydumper needs --outputdir=');
  const open = new Map<string, number>();
  for (const step of script.steps) {
    if ('log' in step) {
      const line = step.log.replaceAll('{outputdir}', directory);
      writeSync(step.stream === 'stdout' ? 1 : 2, `${line}\n`.repeat(step.repeat ?? 1));
    } else if ('write' in step) {
      const descriptor = open.get(step.write) ?? openSync(join(directory, step.write), 'a');
      open.set(step.write, descriptor);
      const content = Buffer.from(step.text, step.encoding ?? 'utf8');
      for (let count = 0; count < (step.repeat ?? 1); count += 1) writeSync(descriptor, content);
    } else if ('close' in step) {
      closeSync(open.get(step.close) ?? -1);
      open.delete(step.close);
    } else if ('rename' in step)
      renameSync(join(directory, step.rename[0]), join(directory, step.rename[1]));
    else if ('remove' in step) unlinkSync(join(directory, step.remove));
    else if ('symlink' in step) symlinkSync(step.symlink[0], join(directory, step.symlink[1]));
    else if ('makeDirectory' in step) mkdirSync(join(directory, step.makeDirectory));
    else if ('makeFifo' in step) execFileSync('mkfifo', [join(directory, step.makeFifo)]);
    else if ('waitForFile' in step) await until(() => existsSync(step.waitForFile));
    else if ('waitUntilGone' in step)
      await until(() => !existsSync(join(directory, step.waitUntilGone)));
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
