import type { Database } from './connection.ts';
import { type Replication, readReplication } from './replication.ts';

/** Default character set and collation of one database. */
type DatabaseDefaults = {
  readonly name: string;
  readonly characterSet: string;
  readonly collation: string;
};

/** Settings of the server that a restore needs; undefined if the server has no such variable. */
export type ServerFacts = Replication & {
  /** Names the server, on MySQL. */
  readonly uuid: string | undefined;
  /** These three name the server on MariaDB. */
  readonly hostname: string | undefined;
  readonly port: number | undefined;
  readonly serverId: number | undefined;
  readonly lowerCaseTableNames: number | undefined;
  readonly characterSet: string | undefined;
  readonly collation: string | undefined;
  /** The global `time_zone`, often `SYSTEM`. */
  readonly timeZone: string | undefined;
  readonly systemTimeZone: string | undefined;
  /** The global `sql_mode`. */
  readonly sqlMode: string | undefined;
  readonly writesBinaryLog: boolean;
  /** Any value of `read_only` but OFF: MariaDB 12 has more of them. */
  readonly readOnly: boolean | undefined;
  /** ON for a reader of Aurora. */
  readonly innodbReadOnly: boolean | undefined;
  readonly databases: readonly DatabaseDefaults[];
};

const VARIABLES = [
  'server_uuid',
  'hostname',
  'port',
  'server_id',
  'lower_case_table_names',
  'character_set_server',
  'collation_server',
  'time_zone',
  'system_time_zone',
  'sql_mode',
  'log_bin',
  'read_only',
  'innodb_read_only',
];

/** Needs no privilege. @throws the server's error when something cannot be read. */
export async function readServerFacts(
  database: Database,
  databases: readonly string[],
): Promise<ServerFacts> {
  const rows = await database.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${VARIABLES.map(() => '?').join(', ')})`,
    VARIABLES,
  );
  const values = new Map(rows.map((row) => [String(row.Variable_name), String(row.Value)]));
  const whole = (name: string) => {
    const value = values.get(name);
    return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
  };
  const isOn = (name: string) => {
    const value = values.get(name);
    return value === undefined ? undefined : value !== 'OFF';
  };
  const schemata = await database.query(
    `SELECT SCHEMA_NAME AS name, DEFAULT_CHARACTER_SET_NAME AS characterSet,
       DEFAULT_COLLATION_NAME AS collation
     FROM information_schema.SCHEMATA`,
  );
  // Compared here: of names that differ in case alone, `IN` finds the row of one only.
  const wanted = new Set(databases);
  return {
    uuid: values.get('server_uuid'),
    hostname: values.get('hostname'),
    port: whole('port'),
    serverId: whole('server_id'),
    lowerCaseTableNames: whole('lower_case_table_names'),
    characterSet: values.get('character_set_server'),
    collation: values.get('collation_server'),
    timeZone: values.get('time_zone'),
    systemTimeZone: values.get('system_time_zone'),
    sqlMode: values.get('sql_mode'),
    writesBinaryLog: values.get('log_bin') === 'ON',
    readOnly: isOn('read_only'),
    innodbReadOnly: isOn('innodb_read_only'),
    ...(await readReplication(database)),
    databases: schemata
      .map(({ name, characterSet, collation }) => ({
        name: String(name),
        characterSet: String(characterSet),
        collation: String(collation),
      }))
      .filter(({ name }) => wanted.has(name)),
  };
}
