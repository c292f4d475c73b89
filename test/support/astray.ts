import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes a program for MYDUMPER_BIN that starts mydumper with another port. It stands for a host
 * name whose address changes.
 * @returns its path.
 */
export function mydumperAstray(directory: string, port: number): string {
  const folder = join(directory, `astray-${port}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, 'mydumper');
  const turn =
    `for word; do shift; case $word in --port=*) word=--port=${port};; esac; ` +
    'set -- "$@" "$word"; done';
  writeFileSync(path, `#!/bin/sh\n${turn}\nexec mydumper "$@"\n`, { mode: 0o755 });
  return path;
}
