import { spawn } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import type { RecordedFile, RecordedStep } from './recording.ts';

/** The recording keeps the beginning of a file larger than this, to the end of a line. */
const LARGEST_KEPT_BYTES = 8000;
const BEGINNING_BYTES = 1500;

export type ToolRun = {
  readonly command: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** The directory whose files are recorded; must exist. */
  readonly directory: string;
  /** The recorder's own files in it, which the recording leaves out. */
  readonly ignored: (name: string) => boolean;
  /** Called with each line as it comes. It may act on the tool and record that with `acted`. */
  readonly onLine: (line: string, tool: RunningTool) => void;
};

export type RunningTool = {
  readonly pid: number;
  readonly acted: (what: string) => void;
  readonly kill: (signal: NodeJS.Signals) => void;
};

export type WatchedRun = {
  readonly exit: { code: number | null; signal: NodeJS.Signals | null };
  readonly steps: readonly RecordedStep[];
  readonly files: Readonly<Record<string, RecordedFile>>;
};

/**
 * Runs a tool and records its output and the changes of files in a directory. Both come through one
 * event loop, so their order is right to about a millisecond.
 */
export async function watchTool(run: ToolRun): Promise<WatchedRun> {
  const steps: RecordedStep[] = [];
  const files = watchFiles(run.directory, run.ignored, steps);
  const [binary = '', ...argv] = run.command;
  // The recording keeps a crash but no core file.
  const child = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', 'prlimit', '--core=0', binary, ...argv],
    {
      detached: true,
      env: run.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const tool: RunningTool = {
    pid: child.pid ?? 0,
    acted: (action) => void steps.push({ action }),
    kill: (signal) => void child.kill(signal),
  };
  const read = (stream: 'stdout' | 'stderr') => {
    let rest = '';
    const print = (line: string) => {
      steps.push(stream === 'stdout' ? { stdout: line } : { stderr: line });
      run.onLine(line, tool);
    };
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) print(line);
    });
    child[stream].on('end', () => {
      if (rest !== '') print(rest);
    });
  };
  read('stdout');
  read('stderr');
  const exit = await new Promise<WatchedRun['exit']>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { exit, steps: files.end(), files: keptFiles(run.directory, run.ignored) };
}

function watchFiles(directory: string, ignored: (name: string) => boolean, steps: RecordedStep[]) {
  /** The present names, each with its file's identity. */
  const known = new Map<string, string>();
  /** The number of steps at each file's last write. */
  const written = new Map<string, number>();
  const identity = (name: string) => {
    const stat = lstatSync(join(directory, name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : `${stat.ino} ${stat.birthtimeNs}`;
  };
  let moved: { readonly name: string; readonly file: string } | undefined;
  const watcher = watch(directory, (kind, name) => {
    if (name === null || ignored(name)) return;
    const before = known.get(name);
    if (kind === 'change') {
      if (before !== undefined) written.set(name, steps.length);
      return;
    }
    const now = identity(name);
    if (now === undefined && before !== undefined) {
      known.delete(name);
      moved = { name, file: before };
      steps.push({ remove: name });
    } else if (now !== undefined && before === undefined) {
      known.set(name, now);
      if (moved?.file === now) {
        steps.pop();
        steps.push({ rename: [moved.name, name] });
      } else {
        steps.push({ open: name });
        written.set(name, steps.length);
      }
    }
  });
  return {
    end: (): RecordedStep[] => {
      watcher.close();
      const all = [...steps];
      // From the end, so that earlier positions stay valid.
      const places = [...written].toSorted(([, left], [, right]) => right - left);
      for (const [name, place] of places) all.splice(place, 0, { close: name });
      return all;
    },
  };
}

function keptFiles(
  directory: string,
  ignored: (name: string) => boolean,
): Record<string, RecordedFile> {
  const names = readdirSync(directory).filter((name) => !ignored(name));
  return Object.fromEntries(
    names.toSorted().map((name) => [name, keptFile(readFileSync(join(directory, name)))]),
  );
}

function keptFile(content: Buffer): RecordedFile {
  if (content.length <= LARGEST_KEPT_BYTES) return contentOf(content);
  const end = content.lastIndexOf('\n', BEGINNING_BYTES);
  return { ...contentOf(content.subarray(0, end + 1)), bytes: content.length };
}

function contentOf(content: Buffer): RecordedFile {
  const text = content.toString('utf8');
  if (!Buffer.from(text).equals(content)) return { base64: content.toString('base64') };
  return { lines: text.split('\n') };
}
