import { SYSTEM_SCHEMAS } from '../mydumper/arguments.ts';
import type { SessionSettings } from '../mydumper/option-file.ts';
import type { Database } from './connection.ts';

export type Vendor = 'mariadb' | 'mysql';

export type Table = { readonly database: string; readonly table: string; readonly transactional: boolean };

/** What is there to back up, as far as it matters before the dump starts. */
export type Inventory = {
  readonly vendor: Vendor;
  readonly version: string;
  readonly databases: readonly string[];
  readonly tables: readonly Table[];
  /** Sum of the data sizes that table statistics tell; an estimate, 0 when nothing is known. */
  readonly estimatedBytes: number;
  /** Lines of SHOW GRANTS, cut before what identifies the user (MariaDB shows the password's hash there). */
  readonly grants: readonly string[];
  readonly session: SessionSettings;
};

/** Raised as far as the server goes: a stopped mydumper reads nothing, and a server that loses patience drops rows. */
const PATIENCE: SessionSettings = {
  // The largest values MySQL and MariaDB accept on every platform.
  net_write_timeout: 2_147_483,
  net_read_timeout: 2_147_483,
  wait_timeout: 2_147_483,
  // 0 switches these off. The first two are MariaDB's, the last MySQL's; statement timers count on while mydumper is stopped.
  idle_transaction_timeout: 0,
  idle_readonly_transaction_timeout: 0,
  max_statement_time: 0,
  max_execution_time: 0,
};

const TRANSACTIONAL_ENGINES = new Set(['innodb', 'rocksdb', 'tokudb']);

/** @throws the server's error when something cannot be read. */
export async function readInventory(database: Database, wanted: readonly string[]): Promise<Inventory> {
  const [server] = await database.query('SELECT VERSION() AS version');
  const version = String(server?.version ?? '');
  const visible = (await database.query('SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA')).map(
    (row) => String(row.name),
  );
  const system = new Set<string>(SYSTEM_SCHEMAS);
  const databases = wanted.length > 0 ? wanted : visible.filter((name) => !system.has(name.toLowerCase()));
  const present = databases.filter((name) => visible.includes(name));

  const tables: Table[] = [];
  let estimatedBytes = 0;
  for (const name of present) {
    const rows = await database.query(
      "SELECT TABLE_NAME AS name, ENGINE AS engine, DATA_LENGTH AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_TYPE <> 'VIEW' AND TABLE_TYPE <> 'SYSTEM VIEW'",
      [name],
    );
    for (const row of rows) {
      const engine = String(row.engine ?? '').toLowerCase();
      tables.push({
        database: name,
        table: String(row.name),
        transactional: TRANSACTIONAL_ENGINES.has(engine),
      });
      estimatedBytes += Number(row.bytes ?? 0);
    }
  }
  return {
    vendor: /mariadb/i.test(version) ? 'mariadb' : 'mysql',
    version,
    databases: present,
    tables,
    estimatedBytes,
    grants: (await database.query('SHOW GRANTS')).map((row) =>
      String(Object.values(row)[0]).replace(/ IDENTIFIED .*$/s, ''),
    ),
    session: await knownSettings(database),
  };
}

/** Databases that were asked for and are not there (or not visible to this user). */
export function missingDatabases(inventory: Inventory, wanted: readonly string[]): string[] {
  return wanted.filter((name) => !inventory.databases.includes(name));
}

async function knownSettings(database: Database): Promise<SessionSettings> {
  const names = Object.keys(PATIENCE);
  const rows = await database.query(
    `SHOW SESSION VARIABLES WHERE Variable_name IN (${names.map(() => '?').join(', ')})`,
    names,
  );
  const known = new Set(rows.map((row) => String(row.Variable_name)));
  return Object.fromEntries(Object.entries(PATIENCE).filter(([name]) => known.has(name)));
}
