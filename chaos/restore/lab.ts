import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MariaDb, startMariaDb } from '../../test/support/mariadb/harness.ts';
import { quoteText } from '../../test/support/mariadb/sql.ts';
import { type S3Server, startS3Server } from '../../test/support/s3/server.ts';
import { type PreparedBackup, prepareBackup } from './backups.ts';
import type { Shape } from './plan.ts';
import { BUCKET, LAB_DATABASE, RESTORER } from './scene.ts';
import { startTarget } from './target.ts';

/** What outlives a run: servers, and backups that several runs restore. */
export type RestoreLab = {
  readonly directory: string;
  readonly s3: S3Server;
  /** The server that is restored into. */
  readonly target: MariaDb;
  /** The backup of a shape, made when a run needs it first. */
  readonly backupOf: (shape: Shape) => Promise<PreparedBackup>;
  readonly stop: () => Promise<void>;
};

export async function openRestoreLab(): Promise<RestoreLab> {
  const directory = mkdtempSync(join(tmpdir(), 'mf-chaos-'));
  const [source, target] = await Promise.all([startMariaDb(), startTarget()]);
  const s3 = await startS3Server({ dir: join(directory, 's3'), buckets: [BUCKET] });
  await target.query(`CREATE USER ${RESTORER} IDENTIFIED BY ${quoteText(target.password)}`);
  await target.query(`GRANT ALL ON *.* TO ${RESTORER} WITH GRANT OPTION`);
  await target.query(`CREATE DATABASE ${LAB_DATABASE}`);
  // Rows in a table without transactions: InnoDB rolls back the other side of a deadlock.
  await target.query(`CREATE TABLE ${LAB_DATABASE}.heavy (id int) ENGINE=MEMORY`);
  const backups = new Map<string, Promise<PreparedBackup>>();
  return {
    directory,
    s3,
    target,
    backupOf: (shape) => {
      const key = JSON.stringify(shape);
      const made = backups.get(key) ?? prepareBackup({ directory, s3, source }, shape);
      backups.set(key, made);
      return made;
    },
    stop: async () => {
      await Promise.all([source.stop(), target.stop(), s3.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
