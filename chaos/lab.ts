import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MariaDb, startMariaDb } from '../test/support/mariadb/harness.ts';

/** What outlives a run: starting servers takes longer than most runs do. */
export type Lab = {
  readonly directory: string;
  /** The server that is backed up. */
  readonly source: () => MariaDb;
  /** Replaces the server after a kill, so that a crash does not affect later runs. */
  readonly renewSource: () => Promise<void>;
  /** The server that backups are loaded into. */
  readonly target: MariaDb;
  readonly stop: () => Promise<void>;
};

export async function openLab(): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'mf-chaos-'));
  const [first, target] = await Promise.all([startMariaDb(), startMariaDb()]);
  let source = first;
  return {
    directory,
    source: () => source,
    renewSource: async () => {
      await source.stop();
      source = await startMariaDb();
    },
    target,
    stop: async () => {
      await Promise.all([source.stop(), target.stop()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
