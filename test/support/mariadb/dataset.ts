import { createOddNames } from './dataset-names.ts';
import { createObjects } from './dataset-objects.ts';
import { createTypeTables } from './dataset-types.ts';
import type { MariaDb } from './harness.ts';
import { seededRandom } from './random.ts';
import { quoteName } from './sql.ts';

export { type BulkOptions, createBulkDatabase, createWideRows, type WideOptions } from './bulk.ts';
export { createHostileTable, hostileNames } from './hostile.ts';
export { createSilentLoss, silentLosses } from './losses.ts';

/** What {@link createNastyDatabases} makes. */
export interface NastyOptions {
  /** The same seed makes the same databases, byte for byte. */
  readonly seed: number;
  /** Rows of each table with a column of every type; 200 when not given. */
  readonly rows?: number;
  /** Beginning of the databases' names, `nasty` when not given. */
  readonly prefix?: string;
  /** Only names that every pair of mydumper and server can dump; the default is true on MySQL. */
  readonly plainNames?: boolean;
  /** Procedures and functions, and the view that uses one; true when not given. */
  readonly routines?: boolean;
}

/**
 * Creates databases with everything that looks dangerous and that mydumper 0.10 and myloader 0.10
 * get right. Returns their names. `hostileNames` and `silentLosses` hold the objects that those
 * tools lose.
 *
 * @throws Error when a database of that name exists already.
 */
export async function createNastyDatabases(db: MariaDb, options: NastyOptions): Promise<string[]> {
  const prefix = options.prefix ?? 'nasty';
  const random = seededRandom(options.seed);
  const connection = await db.connect();
  try {
    // Zero dates and the invalid ENUM value are data too; a fixed zone keeps TIMESTAMP and events
    // the same everywhere.
    await connection.query("SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'");
    const types = `${prefix}_types`;
    // mydumper cannot dump databases with other names than ASCII from MySQL, and 1.x renames the
    // files of any odd one.
    const plain = options.plainNames ?? db.vendor === 'mysql';
    const objects = plain ? `${prefix} objects-1` : `${prefix} "Öbjects" 100%s-x`;
    const names = `${prefix}_select`;
    const latin = `0_${prefix}_latin`;
    const use = async (name: string, charset = ''): Promise<void> => {
      await connection.query(`CREATE DATABASE ${quoteName(name)} ${charset}`);
      await connection.query(`USE ${quoteName(name)}`);
    };
    const comment = db.vendor === 'mariadb' ? `COMMENT 'it''s "one"; ä'` : '';
    await use(types, `CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci ${comment}`);
    await createTypeTables(connection, db.vendor, random, options.rows ?? 200);
    await use(objects);
    await createObjects(connection, db.vendor, options.routines ?? true);
    await use(names);
    await createOddNames(connection, plain);
    await use(latin, 'CHARACTER SET latin1 COLLATE latin1_german2_ci');
    await connection.query('CREATE TABLE `only` (a varchar(20))');
    await connection.query("INSERT INTO `only` VALUES ('äöü'), (NULL)");
    return [types, objects, names, latin];
  } finally {
    await connection.end();
  }
}
