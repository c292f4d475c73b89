import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { RESTORE_STATE_DATABASE } from '../contract.ts';
import type { Database } from '../database/connection.ts';
import type { Manifest } from '../manifest/schema.ts';
import { PIECES } from './guard.ts';
import type { Piece } from './pieces.ts';

const RUNS = `\`${RESTORE_STATE_DATABASE}\`.\`runs\``;
/** Rows of one INSERT, so that it stays far below `max_allowed_packet`. */
const ROWS_AT_ONCE = 500;

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
  /** undefined when there is nothing to go on with. */
  readonly read: () => Promise<Progress | undefined>;
  readonly begin: () => Promise<void>;
  /** Goes on with what `read` gave. */
  readonly resume: () => Promise<void>;
  readonly enter: (phase: Phase) => Promise<void>;
  /** Waits for transactions of a dead run that the server has not yet rolled back. */
  readonly pieces: () => Promise<readonly Piece[]>;
  readonly nextId: () => Promise<number>;
  readonly addPieces: (pieces: readonly Piece[]) => Promise<void>;
  readonly marks: (
    ids: readonly number[],
  ) => Promise<ReadonlyMap<number, Pick<Piece, 'begun' | 'loaded'>>>;
  readonly markLoaded: (ids: readonly number[]) => Promise<void>;
  readonly forget: (ids: readonly number[]) => Promise<void>;
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
  const { query, longQuery } = database;
  const places = (ids: readonly unknown[]) => ids.map(() => '?').join(', ');
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
    read: async () => {
      const [there] = await query(
        `SELECT COUNT(*) AS n FROM information_schema.TABLES
         WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN ('runs', 'pieces')`,
        [RESTORE_STATE_DATABASE],
      );
      if (Number(there?.n) !== 2) return undefined;
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
      await query(
        `CREATE TABLE IF NOT EXISTS ${PIECES} (
           id BIGINT PRIMARY KEY, run CHAR(40) NOT NULL,
           file VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
           start_byte BIGINT NOT NULL, end_byte BIGINT NOT NULL, row_count BIGINT NOT NULL,
           begun TINYINT NOT NULL, loaded TINYINT NOT NULL, KEY (run)
         ) ENGINE=InnoDB`,
      );
      await addWorkedAt();
      await query(
        `INSERT INTO ${RUNS} (id, about, phase, started_at, worked_at)
         VALUES (?, ?, 'schemas', UTC_TIMESTAMP(), UTC_TIMESTAMP())`,
        [run, about],
      );
    },
    resume: async () => {
      await addWorkedAt();
      await worked();
    },
    enter: async (phase) => {
      await query(`UPDATE ${RUNS} SET phase = ?, worked_at = UTC_TIMESTAMP() WHERE id = ?`, [
        phase,
        run,
      ]);
    },
    pieces: async () => {
      const rows = await longQuery(
        `SELECT id, file, start_byte AS start, end_byte AS end, row_count AS \`rows\`, begun, loaded
         FROM ${PIECES} WHERE run = ? ORDER BY id FOR UPDATE`,
        [run],
      );
      return rows.map((row) => ({
        id: Number(row.id),
        file: String(row.file),
        start: Number(row.start),
        end: Number(row.end),
        rows: Number(row.rows),
        begun: Number(row.begun) === 1,
        loaded: Number(row.loaded) === 1,
      }));
    },
    nextId: async () => {
      const [row] = await query(`SELECT COALESCE(MAX(id), 0) + 1 AS id FROM ${PIECES}`);
      return Number(row?.id);
    },
    addPieces: async (pieces) => {
      for (let from = 0; from < pieces.length; from += ROWS_AT_ONCE) {
        const some = pieces.slice(from, from + ROWS_AT_ONCE);
        await query(
          `INSERT INTO ${PIECES} VALUES ${some.map(() => '(?, ?, ?, ?, ?, ?, ?, ?)').join(', ')}`,
          some.flatMap((piece) => [
            piece.id,
            run,
            piece.file,
            piece.start,
            piece.end,
            piece.rows,
            Number(piece.begun),
            Number(piece.loaded),
          ]),
        );
      }
      await worked();
    },
    marks: async (ids) => {
      if (ids.length === 0) return new Map();
      const rows = await query(
        `SELECT id, begun, loaded FROM ${PIECES} WHERE id IN (${places(ids)})`,
        ids as number[],
      );
      return new Map(
        rows.map((row) => [
          Number(row.id),
          { begun: Number(row.begun) === 1, loaded: Number(row.loaded) === 1 },
        ]),
      );
    },
    markLoaded: async (ids) => {
      if (ids.length === 0) return;
      await query(
        `UPDATE ${PIECES} SET begun = 1, loaded = 1 WHERE id IN (${places(ids)})`,
        ids as number[],
      );
      await worked();
    },
    forget: async (ids) => {
      if (ids.length > 0)
        await query(`DELETE FROM ${PIECES} WHERE id IN (${places(ids)})`, ids as number[]);
    },
    end: async () => {
      await query(`DELETE FROM ${PIECES} WHERE run = ?`, [run]);
      await query(`DELETE FROM ${RUNS} WHERE id = ?`, [run]);
      const [others] = await query(`SELECT COUNT(*) AS n FROM ${RUNS}`);
      if (Number(others?.n) === 0) await query(`DROP DATABASE \`${RESTORE_STATE_DATABASE}\``);
    },
  };
}
