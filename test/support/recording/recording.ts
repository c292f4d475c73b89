import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * The directory of recordings: `<client library>/<server>/<name>.json` and `<client
 * library>/tool.json`.
 */
export const RECORDINGS = fileURLToPath(new URL('../../fixtures/mydumper-1.x', import.meta.url));

/** What happened while a tool ran, in the order in which the recorder saw it. */
export type RecordedStep =
  /** A line on a stream, without its end. GLib begins a warning with an empty line. */
  | { readonly stdout: string }
  | { readonly stderr: string }
  /** The number of further repetitions of the last lines. */
  | { readonly again: { readonly lines: number; readonly times: number } }
  | { readonly open: string }
  /** The last write to the file was before this. */
  | { readonly close: string }
  | { readonly rename: readonly [from: string, to: string] }
  | { readonly remove: string }
  /** The recorder's action on the tool or its server. */
  | { readonly action: string };

/**
 * Lines of a file, or base64 where its bytes are not UTF-8. `bytes` is its size where only the
 * beginning is kept.
 */
export type RecordedFile = {
  readonly lines?: readonly string[];
  readonly base64?: string;
  readonly bytes?: number;
};

/**
 * One run of a real tool. Times, process ids, ports and paths in it are placeholders (neutral.ts).
 */
export type Recording = {
  /** The run in one sentence. */
  readonly run: string;
  /** The line that `--version` prints. */
  readonly tool: string;
  readonly server: string;
  readonly argv: readonly string[];
  readonly optionFile: readonly string[];
  readonly exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null };
  readonly steps: readonly RecordedStep[];
  readonly files: Readonly<Record<string, RecordedFile>>;
};

/** What mydumper of one build prints for `--version` and `--help`. */
export type RecordedTool = { readonly version: string; readonly help: readonly string[] };

export function readRecording(name: string): Recording {
  return JSON.parse(readFileSync(`${RECORDINGS}/${name}.json`, 'utf8')) as Recording;
}

export function readTool(client: string): RecordedTool {
  return JSON.parse(readFileSync(`${RECORDINGS}/${client}/tool.json`, 'utf8')) as RecordedTool;
}

/** Names of all recordings of runs, such as `libmariadb/mariadb-10.11/one-database`. */
export function recordingNames(): string[] {
  return readdirSync(RECORDINGS, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.json') && !path.endsWith('tool.json'))
    .map((path) => path.replace(/\.json$/, ''))
    .toSorted();
}

/** Directories of builds, each of which holds a `tool.json`. */
export function recordedClients(): string[] {
  return readdirSync(RECORDINGS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted();
}

/** Lines of the log, from both streams. */
export function logOf({ steps }: Pick<Recording, 'steps'>): string[] {
  return steps.flatMap((step) => {
    if ('stderr' in step) return [step.stderr];
    return 'stdout' in step ? [step.stdout] : [];
  });
}
