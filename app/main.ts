#!/usr/bin/env node
import { type Config, readInvocation } from './config.ts';
import { EXIT } from './contract.ts';
import { exitCodeOf, Failure, type InterruptSignal } from './errors.ts';
import { helpText } from './help.ts';
import { logFailure } from './observe/log.ts';
import { TOOL_VERSION } from './tool-version.ts';
import { within } from './within.ts';

/**
 * Fargate kills a task some time after SIGTERM. By then mydumper and our uploads must have ended
 * (invariant 8).
 */
const SHUTDOWN_MILLISECONDS = 17_000;
/** The reader of our output may be slow, or may have stopped reading. */
const LAST_OUTPUT_MILLISECONDS = 5000;

/** Runs the command that argv and the environment select. Returns the exit code. */
async function main(argv: readonly string[]): Promise<number> {
  let config: Config;
  try {
    const invocation = readInvocation(argv);
    if (invocation.kind === 'help') {
      process.stdout.write(helpText());
      return EXIT.done;
    }
    if (invocation.kind === 'version') {
      process.stdout.write(`mydumper-fargate ${TOOL_VERSION}\n`);
      return EXIT.done;
    }
    config = invocation.config;
  } catch (error) {
    logFailure(error);
    return exitCodeOf(error);
  }
  const { signal, settle } = onSignals();
  // Loaded only when needed, so that help and configuration errors print at once.
  if (config.command === 'backup') {
    const { runBackup } = await import('./commands/run-backup.ts');
    return await runBackup(config, signal, settle);
  }
  const { runReading } = await import('./commands/run-reading.ts');
  const code = await runReading(config, signal);
  settle(code);
  return code;
}

/**
 * The first SIGTERM or SIGINT ends the run in order, within a time limit. A second one ends it at
 * once. The handlers stay until the process ends. Once the outcome is settled, no signal changes
 * the exit code: a backup whose manifest is written exists.
 */
function onSignals(): { signal: AbortSignal; settle: (exitCode: number) => void } {
  const controller = new AbortController();
  let settled: number | undefined;
  let signalled = false;
  for (const name of ['SIGTERM', 'SIGINT'] satisfies InterruptSignal[]) {
    process.on(name, () => {
      const failure = new Failure('interrupted', `interrupted by ${name}`, { signal: name });
      const exit = () => process.exit(settled ?? exitCodeOf(failure));
      if (signalled) exit();
      signalled = true;
      if (settled === undefined) controller.abort(failure);
      setTimeout(exit, SHUTDOWN_MILLISECONDS).unref();
    });
  }
  return {
    signal: controller.signal,
    settle: (exitCode) => {
      settled ??= exitCode;
    },
  };
}

/**
 * Waits until the pipes have taken our output. The process loses any output that they have not
 * taken.
 */
async function flushOutput(): Promise<void> {
  const written = [process.stdout, process.stderr].map(
    (stream) => new Promise<void>((resolve) => stream.write('', () => resolve())),
  );
  await within(LAST_OUTPUT_MILLISECONDS, Promise.all(written));
}

const exitCode = await main(process.argv.slice(2));
await flushOutput();
process.exit(exitCode);
