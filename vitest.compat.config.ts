import { mkdirSync, mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { compatReporter } from './test/compat/reporter.ts';

/**
 * Returns a directory for the front of the PATH that holds the tools of MYDUMPER_BIN and
 * MYLOADER_BIN. Without these variables it returns none.
 */
function chosenTools(): string[] {
  const tools = { mydumper: process.env.MYDUMPER_BIN, myloader: process.env.MYLOADER_BIN };
  if (Object.values(tools).every((path) => path === undefined)) return [];
  const directory = mkdtempSync(join(tmpdir(), 'compat-tools-'));
  mkdirSync(directory, { recursive: true });
  for (const [name, path] of Object.entries(tools)) {
    if (path !== undefined) symlinkSync(resolve(path), join(directory, name));
  }
  return [directory];
}

/**
 * `npm run compat` tests every promise with one pair of mydumper and server and writes
 * docs/compatibility.
 */
export default defineConfig({
  test: {
    include: ['test/compat/content.test.ts', 'test/compat/runs.test.ts'],
    env: { PATH: [...chosenTools(), process.env.PATH ?? ''].join(':') },
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    isolate: false,
    reporters: ['default', compatReporter()],
  },
});
