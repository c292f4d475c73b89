import type { MariaDb } from './harness.ts';
import { seededRandom } from './random.ts';
import { quoteName, rowNumbers } from './sql.ts';

/** What {@link createBulkDatabase} makes. */
export interface BulkOptions {
  /** Name of the database, created here. */
  readonly name: string;
  /** Size of all tables' rows together, in MiB as dumped (roughly). */
  readonly megabytes: number;
  /** Tables, of equal size; 4 when not given. */
  readonly tables?: number;
  readonly seed?: number;
  /** Storage engine; InnoDB when not given. */
  readonly engine?: 'InnoDB' | 'MyISAM';
  /** Size of one row as dumped, in bytes, at least 120 (200 when not given). */
  readonly rowBytes?: number;
}

// What a row's other columns take in a dump, brackets and commas included.
const FIXED_BYTES = 88;
/** Of a row's text one hash of 32 digits for so much of it. */
const BYTES_PER_HASH = 180;
const SENTENCES =
  "'thank you for your order, it will be shipped soon; ', " +
  "'returned by customer: \"damaged\" ', 'it''s late ', 'äöü 日本 '";
const WORDS =
  'order customer invoice pending shipped address street number payment amount euro total discount';

/**
 * Fills a database within seconds, the rows being made by the server itself: numbers, dates, a hash
 * and sentences, so that zstd level 1 makes it a third to a fifth as large. Deterministic for a
 * seed.
 *
 * @throws Error when the database exists already.
 */
export async function createBulkDatabase(db: MariaDb, options: BulkOptions): Promise<void> {
  const tables = options.tables ?? 4;
  const seed = options.seed ?? 1;
  const rowBytes = Math.max(120, options.rowBytes ?? 200);
  const rows = Math.max(1, Math.round((options.megabytes * 1024 * 1024) / tables / rowBytes));
  const name = quoteName(options.name);
  await db.query(`CREATE DATABASE ${name}`);
  const words = WORDS.split(' ').map((word) => `'${word} '`);
  // A word chosen by a few bits of a hash of the row number; CRC32 costs almost nothing.
  const word = (salt: number): string =>
    `ELT(1 + CRC32(seq + ${seed * 1000 + salt}) % ${words.length}, ${words.join(', ')})`;
  const filler = Math.max(1, rowBytes - FIXED_BYTES);
  // Wide rows hold hashes too, so that they are no easier to compress than narrow ones.
  const hashes = Array.from(
    { length: Math.floor(filler / BYTES_PER_HASH) },
    (_, index) => `, LEFT(SHA2(seq * ${7 + 4 * index}, 224), 32), ${word(4 + index)}`,
  ).join('');
  const note =
    `RPAD(CONCAT(${[0, 1, 2].map(word).join(', ')}, HEX(CRC32(seq * 7)), ' ', ` +
    `${word(3)}${hashes}), ${filler}, ELT(1 + seq % 4, ${SENTENCES}))`;
  const fill = async (table: number): Promise<void> => {
    const connection = await db.connect();
    try {
      await connection.query(`USE ${name}`);
      await connection.query(
        'SET SESSION unique_checks = 0, foreign_key_checks = 0, time_zone = "+00:00"',
      );
      await connection.query(
        `CREATE TABLE bulk_${table} (id bigint PRIMARY KEY, amount decimal(12,2), ` +
          'at datetime, hash char(16), status tinyint, note longtext) ' +
          `ENGINE=${options.engine ?? 'InnoDB'}`,
      );
      await connection.query(
        `INSERT INTO bulk_${table} SELECT seq, (CRC32(seq + ${seed}) % 10000000) / 100, ` +
          `'2020-01-01' + INTERVAL seq SECOND, LEFT(SHA2(CONCAT(seq, '-', ${seed}, '-', ` +
          `${table}), 224), 16), seq % 7, ${note} FROM ${rowNumbers(db, rows)}`,
      );
    } finally {
      await connection.end();
    }
  };
  // Two cores are what a test machine has at least; more connections only fight for them.
  for (let table = 0; table < tables; table += 2) {
    await Promise.all([fill(table), ...(table + 1 < tables ? [fill(table + 1)] : [])]);
  }
}

/** What {@link createWideRows} makes. */
export interface WideOptions {
  /** Name of the database, created here. */
  readonly name: string;
  readonly rows: number;
  /**
   * Size of each row's one large value in bytes. About 60 MiB is the most, since a dump may double
   * it.
   */
  readonly bytes: number;
  readonly seed?: number;
}

/**
 * A database with one table `wide` whose rows are huge, half incompressible bytes and half repeated
 * ones.
 *
 * @throws Error when the database exists already, or a row is larger than the server's
 *   `max_allowed_packet`.
 */
export async function createWideRows(db: MariaDb, options: WideOptions): Promise<void> {
  const random = seededRandom(options.seed ?? 1);
  const name = quoteName(options.name);
  await db.query(`CREATE DATABASE ${name}`);
  await db.query(`CREATE TABLE ${name}.wide (id int PRIMARY KEY, content longblob)`);
  const piece = 65_536;
  for (let id = 1; id <= options.rows; id++) {
    const parts: Buffer[] = [];
    for (let at = 0; at < options.bytes; at += piece) {
      const size = Math.min(piece, options.bytes - at);
      parts.push(
        (at / piece) % 2 === 0 ? random.bytes(size) : Buffer.alloc(size, `row ${id}; it's "so" `),
      );
    }
    // A parameter of a prepared statement carries the bytes unchanged. Quoted text would be twice
    // as long.
    const connection = await db.connect();
    try {
      await connection.execute(`INSERT INTO ${name}.wide VALUES (?, ?)`, [
        id,
        Buffer.concat(parts),
      ]);
    } finally {
      await connection.end();
    }
  }
}
