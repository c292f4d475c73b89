import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * A stand-in for upstream's myloader 1.x, which has no package where tests run. Its output and its
 * ends come from recordings. It loads as the source of 1.x does (src/myloader/myloader_restore.c):
 * - It spreads the INSERTs of one file over all connections.
 * - A transaction has `--queries-per-transaction` statements; with 1 there are no transactions.
 * - It sends a failed statement once more after a warning, regardless of the state of the
 *   transaction. A second failure ends the program.
 */
export type FakeMyloader = {
  /** The path for MYLOADER_BIN. */
  readonly path: string;
  /** The runs so far: arguments, option file, and names of the files that each found. */
  readonly runs: () => readonly FakeRun[];
  /** Whether a run has sent half of its INSERTs and waits there. */
  readonly isHeld: () => boolean;
  /** Makes the run with this number wait there. Only runs with rows count, from 1; 0 means none. */
  readonly hold: (run: number) => void;
};
export type FakeRun = {
  readonly argv: readonly string[];
  readonly options: string;
  readonly files: readonly string[];
};

/** Writes an executable into `directory`, which it uses for itself. */
export function writeFakeMyloader(directory: string): FakeMyloader {
  mkdirSync(join(directory, 'runs'), { recursive: true });
  writeFileSync(join(directory, 'holds'), '0');
  const path = join(directory, 'myloader');
  const quote = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const self = fileURLToPath(new URL('./fake-myloader-program.ts', import.meta.url));
  writeFileSync(
    path,
    `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(self)} ${quote(directory)} "$@"\n`,
    { mode: 0o755 },
  );
  return {
    path,
    runs: () =>
      readdirSync(join(directory, 'runs'))
        .toSorted((left, right) => Number.parseInt(left, 10) - Number.parseInt(right, 10))
        .map((name) => JSON.parse(readFileSync(join(directory, 'runs', name), 'utf8')) as FakeRun),
    isHeld: () => existsSync(join(directory, 'held')),
    hold: (run) => writeFileSync(join(directory, 'holds'), String(run)),
  };
}
