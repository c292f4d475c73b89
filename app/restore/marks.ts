import { RESTORE_STATE_DATABASE } from '../contract.ts';
import type { Database, Row } from '../database/connection.ts';

const MARKS = `\`${RESTORE_STATE_DATABASE}\`.\`files\``;

/** The server's record of one data file. */
export type Mark = {
  /** Of the record; the file has none in other restores. */
  readonly id: number;
  /** Name of the file in the backup. */
  readonly file: string;
  /** All rows that end at or before this offset of the file are in the server. */
  readonly loadedBytes: number;
  readonly rows: number;
  /**
   * CRC-32 of the file's first bytes, those of the loaded rows among them. A restore that goes on
   * reads them again and compares: other bytes would mean that the rows are not the backup's.
   */
  readonly readBytes: number;
  readonly readCrc32: number;
  /** The whole file is in the server, and its content equals the manifest. */
  readonly judged: boolean;
};

/** Names its engine and its key, since the target may require them. */
export const CREATE_MARKS = `CREATE TABLE IF NOT EXISTS ${MARKS} (
  id BIGINT NOT NULL PRIMARY KEY, run CHAR(40) NOT NULL,
  file VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  loaded_bytes BIGINT NOT NULL, row_count BIGINT NOT NULL,
  read_bytes BIGINT NOT NULL, read_crc32 BIGINT NOT NULL, judged TINYINT NOT NULL, KEY (run)
) ENGINE=InnoDB`;

/** All marks of a restore, in the order in which their files were begun. */
export async function readMarks({ longQuery }: Database, run: string): Promise<Mark[]> {
  const rows = await longQuery(`SELECT * FROM ${MARKS} WHERE run = ? ORDER BY id`, [run]);
  return rows.map(markFrom);
}

function markFrom(row: Row): Mark {
  return {
    id: Number(row.id),
    file: String(row.file),
    loadedBytes: Number(row.loaded_bytes),
    rows: Number(row.row_count),
    readBytes: Number(row.read_bytes),
    readCrc32: Number(row.read_crc32),
    judged: Number(row.judged) === 1,
  };
}

export async function nextMarkId({ query }: Database): Promise<number> {
  const [row] = await query(`SELECT COALESCE(MAX(id), 0) + 1 AS id FROM ${MARKS}`);
  return Number(row?.id);
}

/** undefined for a file that was not begun. */
export async function readMark({ query }: Database, id: number): Promise<Mark | undefined> {
  const [row] = await query(`SELECT * FROM ${MARKS} WHERE id = ?`, [id]);
  return row === undefined ? undefined : markFrom(row);
}

/** Part of the transaction that holds the rows. The caller commits. */
export async function writeMark({ query }: Database, run: string, mark: Mark): Promise<void> {
  const { id, file, loadedBytes, rows, readBytes, readCrc32, judged } = mark;
  const values = [loadedBytes, rows, readBytes, readCrc32, Number(judged)];
  await query(
    // A session that loads rows reads text as bytes.
    `INSERT INTO ${MARKS} VALUES (?, ?, CONVERT(UNHEX(?) USING utf8mb4), ?, ?, ?, ?, ?)
     ON DUPLICATE KEY UPDATE loaded_bytes = ?, row_count = ?, read_bytes = ?, read_crc32 = ?,
       judged = ?`,
    [id, run, Buffer.from(file).toString('hex'), ...values, ...values],
  );
}

/** Rows of one DELETE, so that it stays far below `max_allowed_packet`. */
const IDS_AT_ONCE = 500;

export async function removeMarks({ query }: Database, ids: readonly number[]): Promise<void> {
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    const some = ids.slice(from, from + IDS_AT_ONCE);
    await query(`DELETE FROM ${MARKS} WHERE id IN (${some.map(() => '?').join(', ')})`, some);
  }
}

export async function removeMarksOf({ query }: Database, run: string): Promise<void> {
  await query(`DELETE FROM ${MARKS} WHERE run = ?`, [run]);
}
