import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { classicTool } from './installed-tools.ts';

/** The real myloader 0.10. It waits before each run that loads rows until the test releases it. */
export type HeldMyloader = {
  /** What MYLOADER_BIN takes. */
  readonly path: string;
  /** The runs that load rows, so far: the threads that each got and the files that it found. */
  readonly runs: () => readonly { readonly threads: number; readonly files: readonly string[] }[];
  /** Lets a run go, which may come later; the first is 1. */
  readonly go: (run: number) => void;
};

/** Writes the script into `directory`, which it uses for itself. */
export function writeHeldMyloader(directory: string): HeldMyloader {
  const seen = join(directory, 'seen');
  mkdirSync(seen, { recursive: true });
  const path = join(directory, 'myloader');
  const script = `#!/bin/sh
for word in "$@"; do
  case "$word" in
    --directory=*) from="\${word#--directory=}" ;;
    --threads=*) threads="\${word#--threads=}" ;;
  esac
done
if [ -n "$from" ] && ls "$from" | grep -q '^[^-]*\\.sql$'; then
  { echo "$threads"; ls "$from" | grep '\\.sql$'; } > '${directory}/run.'$$
  run=1
  until ln '${directory}/run.'$$ '${seen}/'$run 2> /dev/null; do run=$((run + 1)); done
  until [ -e '${directory}/go.'$run ]; do sleep 0.02; done
fi
exec '${classicTool('myloader')}' "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return {
    path,
    runs: () =>
      readdirSync(seen)
        .toSorted((left, right) => Number(left) - Number(right))
        .map((name) => {
          const [threads, ...files] = readFileSync(join(seen, name), 'utf8').trim().split('\n');
          return { threads: Number(threads), files };
        }),
    go: (run) => writeFileSync(join(directory, `go.${run}`), ''),
  };
}
