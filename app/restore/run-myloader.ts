import type { Config } from '../config.ts';
import { askForWork } from '../database/work.ts';
import { Failure } from '../errors.ts';
import { parseLine } from '../mydumper/log-reader.ts';
import { myloaderArguments } from '../mydumper/myloader.ts';
import { startTool } from '../mydumper/process.ts';
import type { ToolTls } from '../mydumper/tls.ts';
import type { Generation } from '../mydumper/version.ts';
import { watchForStall } from '../stall-watch.ts';
import type { Work } from '../work-events.ts';

export type Loader = {
  readonly config: Config;
  readonly generation: Generation;
  readonly optionFile: string;
  readonly tls: ToolTls;
  readonly work: Work;
  readonly interruption: AbortSignal;
};

/**
 * 1213: the server rolled the transaction back, so a retry is possible. 1205: the server rolled
 * only the statement back. myloader then commits the rest of the transaction when it reaches
 * another file. The piece's mark records whether it did.
 */
const TAKEN_BACK = /Deadlock found when trying to get lock|Lock wait timeout exceeded/;
const LAST_LINES = 3;
const HARMLESS_ONCE: readonly string[] = ['1205', '1213', '1227'];

/**
 * Whether a statement that 1.x sends again after an error is only a warning. Without transactions
 * the repetition is harmless where the server rolled the statement back (1213 and 1205). After a
 * lost connection it is unknown whether the first one was done. 1227 is a variable that a managed
 * server does not let it set; the server refuses such a statement the second time too. Pure.
 */
export function isError(level: 'info' | 'warning' | 'error', text: string): boolean {
  if (level !== 'warning') return level === 'error';
  const number = /\bERROR (\d+):/.exec(text)?.[1];
  return number !== undefined && !HARMLESS_ONCE.includes(number);
}

export type LoadVerdict =
  | { readonly good: true }
  | { readonly good: false; readonly reason: string; readonly mayPass: boolean };

/**
 * Runs myloader on a directory, and judges it by its exit code and its log. An interruption kills
 * it, and the kernel kills it when this process dies.
 * @throws Failure `restore` when it cannot be started, and the interruption's.
 */
export async function runMyloader(
  loader: Loader,
  directory: string,
  threads: number,
): Promise<LoadVerdict> {
  const { config, generation, optionFile, tls, work, interruption } = loader;
  interruption.throwIfAborted();
  const errors: string[] = [];
  const last: string[] = [];
  const { as } = config.reading.restore;
  const { server } = config;
  const argv = myloaderArguments({ generation, directory, optionFile, threads, as, server, tls });
  const { myloader: binary, searchPath } = config.dump;
  const stall = watchForStall({
    name: 'myloader',
    limitSeconds: config.dump.stallTimeoutSeconds,
    isHeld: () => false,
    askServer: () => askForWork(config.server),
    onStalled: (message) => {
      stalled = message;
      kill();
    },
  });
  let stalled: string | undefined;
  let kill = () => {};
  const process = await startTool(
    { name: 'myloader', kind: 'restore', command: [binary, ...argv], searchPath },
    (line) => {
      const { level, text } = parseLine(line);
      if (text === '') return;
      stall.alive(text);
      work.emit('myloader', { level, message: text });
      if (isError(level, text)) errors.push(text);
      last.push(text);
      if (last.length > LAST_LINES) last.shift();
    },
  );
  kill = process.kill;
  interruption.addEventListener('abort', kill, { once: true });
  if (interruption.aborted) kill();
  try {
    const { code, signal } = await process.exited;
    interruption.throwIfAborted();
    if (stalled !== undefined) return { good: false, reason: stalled, mayPass: false };
    if (code === 0 && errors.length === 0) return { good: true };
    const how = signal !== null ? `was killed by ${signal}` : `ended with exit code ${code}`;
    const said = errors[0] ?? last.at(-1);
    return {
      good: false,
      reason: `myloader ${how}${said === undefined ? '' : `: ${said}`}`,
      mayPass:
        signal === null && errors.length > 0 && errors.every((error) => TAKEN_BACK.test(error)),
    };
  } finally {
    stall.end();
    interruption.removeEventListener('abort', kill);
    kill();
  }
}

export function requireGood(verdict: LoadVerdict): void {
  if (!verdict.good) throw new Failure('restore', verdict.reason);
}
