import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { RESTORE_STATE_DATABASE } from '../contract.ts';
import type { Database } from '../database/connection.ts';
import type { Manifest } from '../manifest/schema.ts';
import { CREATE_MARKS, type Mark, readMarks, removeMarksOf } from './marks.ts';

const RUNS = `\`${RESTORE_STATE_DATABASE}\`.\`runs\``;
/** Earlier releases kept their marks in it, and loaded pieces of files in any order. */
const PIECES = `\`${RESTORE_STATE_DATABASE}\`.\`pieces\``;

export const PHASES = ['schemas', 'data', 'after', 'check'] as const;
export type Phase = (typeof PHASES)[number];

export type Progress = {
  readonly phase: Phase;
  /** Both in UTC by the server's clock, as `2026-11-22 03:00:00`. */
  readonly startedAt: string;
  readonly workedAt: string;
  /** Seconds since `workedAt`, by the same clock. */
  readonly idleSeconds: number;
};

/** Above it, clients may already use tables that an unfinished restore would empty. */
const LONGEST_IDLE_SECONDS = 24 * 3600;

/** Whether a restore was idle for so long that resuming it needs OVERWRITE. Pure. */
export function isStale({ idleSeconds }: Pick<Progress, 'idleSeconds'>): boolean {
  return idleSeconds > LONGEST_IDLE_SECONDS;
}

/**
 * The server's record of an unfinished restore into it. The record survives in the server, while
 * the task's disk does not. In the server, a mark can also be set in the same transaction as its
 * rows.
 */
export type RestoreState = {
  /** Names the restore in the server's records. */
  readonly run: string;
  /** undefined when there is nothing to go on with. */
  readonly read: () => Promise<Progress | undefined>;
  readonly begin: () => Promise<void>;
  /** Goes on with what `read` gave. */
  readonly resume: () => Promise<void>;
  readonly enter: (phase: Phase) => Promise<void>;
  readonly marks: () => Promise<readonly Mark[]>;
  /** Files of which an earlier release has loaded pieces; in its own order, so none can be kept. */
  readonly oldFiles: () => Promise<readonly string[]>;
  readonly forgetOldFiles: () => Promise<void>;
  /** Notes that the restore has just done something. */
  readonly worked: () => Promise<unknown>;
  /** Nothing is left to remember; the database goes with the last restore. */
  readonly end: () => Promise<void>;
};

/** The same backup, selection and target give the same id. Any difference is another restore. */
export function restoreId({ source, backupId, startedAt }: Manifest, config: Config): string {
  const { as, tables, what } = config.reading.restore;
  const { databases } = config.dump;
  const key = [
    config.store.bucket,
    config.prefix,
    source,
    backupId,
    startedAt,
    databases.toSorted(),
    tables.toSorted(),
    as ?? null,
    what,
  ];
  return createHash('sha256').update(JSON.stringify(key)).digest('hex').slice(0, 40);
}

export function openState(database: Database, run: string, about: string): RestoreState {
  const { query } = database;
  const hasTable = async (name: string) => {
    const rows = await query(
      'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
      [RESTORE_STATE_DATABASE, name],
    );
    return rows.length > 0;
  };
  /** 0.1.0 made the table without it. */
  const knowsWorkedAt = async () => {
    const rows = await query(
      `SELECT 1 FROM information_schema.COLUMNS
       WHERE TABLE_SCHEMA = ? AND TABLE_NAME = 'runs' AND COLUMN_NAME = 'worked_at'`,
      [RESTORE_STATE_DATABASE],
    );
    return rows.length > 0;
  };
  const addWorkedAt = async () => {
    if (!(await knowsWorkedAt())) await query(`ALTER TABLE ${RUNS} ADD COLUMN worked_at DATETIME`);
  };
  const worked = () => query(`UPDATE ${RUNS} SET worked_at = UTC_TIMESTAMP() WHERE id = ?`, [run]);
  return {
    run,
    read: async () => {
      if (!(await hasTable('runs'))) return undefined;
      const workedAt = (await knowsWorkedAt()) ? 'COALESCE(worked_at, started_at)' : 'started_at';
      const [row] = await query(
        `SELECT phase, started_at AS startedAt, ${workedAt} AS workedAt,
           TIMESTAMPDIFF(SECOND, ${workedAt}, UTC_TIMESTAMP()) AS idleSeconds
         FROM ${RUNS} WHERE id = ?`,
        [run],
      );
      const phase = PHASES.find((name) => name === row?.phase);
      if (row === undefined || phase === undefined) return undefined;
      const { startedAt, idleSeconds } = row;
      return {
        phase,
        startedAt: String(startedAt),
        workedAt: String(row.workedAt),
        idleSeconds: Number(idleSeconds),
      };
    },
    begin: async () => {
      await query(
        `CREATE DATABASE IF NOT EXISTS \`${RESTORE_STATE_DATABASE}\` CHARACTER SET utf8mb4`,
      );
      await query(
        `CREATE TABLE IF NOT EXISTS ${RUNS} (
           id CHAR(40) PRIMARY KEY, about TEXT, phase VARCHAR(10) NOT NULL,
           started_at DATETIME NOT NULL, worked_at DATETIME
         ) ENGINE=InnoDB`,
      );
      await query(CREATE_MARKS);
      await addWorkedAt();
      await query(
        `INSERT INTO ${RUNS} (id, about, phase, started_at, worked_at)
         VALUES (?, ?, 'schemas', UTC_TIMESTAMP(), UTC_TIMESTAMP())`,
        [run, about],
      );
    },
    resume: async () => {
      await query(CREATE_MARKS);
      await addWorkedAt();
      await worked();
    },
    enter: async (phase) => {
      await query(`UPDATE ${RUNS} SET phase = ?, worked_at = UTC_TIMESTAMP() WHERE id = ?`, [
        phase,
        run,
      ]);
    },
    marks: () => readMarks(database, run),
    oldFiles: async () => {
      if (!(await hasTable('pieces'))) return [];
      const rows = await query(`SELECT DISTINCT file FROM ${PIECES} WHERE run = ?`, [run]);
      return rows.map(({ file }) => String(file));
    },
    forgetOldFiles: async () => {
      if (await hasTable('pieces')) await query(`DELETE FROM ${PIECES} WHERE run = ?`, [run]);
    },
    worked,
    end: async () => {
      const [others] = await query(`SELECT COUNT(*) AS n FROM ${RUNS} WHERE id <> ?`, [run]);
      if (Number(others?.n) === 0) {
        await query(`DROP DATABASE \`${RESTORE_STATE_DATABASE}\``);
        return;
      }
      await removeMarksOf(database, run);
      await query(`DELETE FROM ${RUNS} WHERE id = ?`, [run]);
    },
  };
}
