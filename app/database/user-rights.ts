import type { Contents, DatabaseObject } from '../manifest/completeness.ts';
import { databasesOpened } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Database } from './connection.ts';
import { rolesOf } from './grants.ts';
import type { Inventory } from './inventory.ts';
import { quoteAccount, quoteName } from './names.ts';

/**
 * The server's answer to the statement with which this generation of mydumper asks for the position
 * in the binary log. `told`, a word that test/fixtures/privileges holds: the server reported it.
 * `denied` and `unknown` name the server's error number.
 */
type PositionAnswer =
  | { readonly kind: 'told' | 'none' }
  | {
      readonly kind: 'denied' | 'unknown';
      readonly statement: string;
      readonly errorNumber: number;
    };

/** The user's account, its roles and what it can see. */
export type UserRights = {
  /** The account as CURRENT_USER() returns it, quoted: a GRANT must name this one. */
  readonly account: string;
  /** Roles that the account has and that a login does not activate, quoted. */
  readonly inactiveRoles: readonly string[];
  readonly position: PositionAnswer;
  readonly writesBinaryLog: boolean;
  /** Databases whose events mydumper lists, including databases that it does not dump. */
  readonly openedDatabases: readonly string[];
  /** Routines that the user can see but not read. */
  readonly unreadableRoutines: readonly { readonly database: string; readonly name: string }[];
  /** Tables with triggers that the user can see but not read. */
  readonly unreadableTriggers: readonly DatabaseObject[];
};

/** A server as its user sees it: the facts that decide which privileges are missing. */
export type PrivilegeServer = Pick<Inventory, 'vendor' | 'version' | 'grants' | 'literalNames'> &
  Pick<Contents, 'databases' | 'tables' | 'views'> &
  UserRights;

/** ER_SPECIFIC_ACCESS_DENIED_ERROR: a privilege for an operation is missing. */
const ACCESS_DENIED = 1227;
/** ER_PARSE_ERROR: the server does not know the statement. */
const PARSE_ERROR = 1064;

/**
 * Reads the rights that SHOW GRANTS does not show. Asks for the position in the binary log with the
 * statement that mydumper will use.
 * @throws the server's error when something cannot be read.
 */
export async function readUserRights(
  database: Database,
  generation: Generation,
  inventory: Inventory,
): Promise<UserRights> {
  const [row] = await database.query('SELECT CURRENT_USER() AS account, @@log_bin AS logBin');
  const account = quoteAccount(String(row?.account ?? ''));
  const schemata = await database.query(
    'SELECT SCHEMA_NAME AS name FROM information_schema.SCHEMATA',
  );
  const visible = schemata.map(({ name }) => String(name));
  const active = await activeRoles(database);
  return {
    account,
    inactiveRoles:
      active === undefined
        ? []
        : rolesOf(inventory.grants, account).filter((role) => !active.has(role)),
    position: await askForPosition(database, positionStatement(generation, inventory)),
    writesBinaryLog: Number(row?.logBin) === 1,
    openedDatabases: databasesOpened(generation, inventory.databases, visible),
    unreadableRoutines: await readUnreadableRoutines(database, inventory.databases),
    unreadableTriggers: await readUnreadableTriggers(database, inventory.databases),
  };
}

/**
 * The statement with which mydumper asks for the position. Each generation chooses its own
 * (`detect_replica` in the source of 1.x).
 */
export function positionStatement(
  generation: Generation,
  { vendor, version, productHint }: Pick<Inventory, 'vendor' | 'version' | 'productHint'>,
): string {
  if (generation === 'classic' || vendor === 'mariadb') return 'SHOW MASTER STATUS';
  const [major = 0, minor = 0] = (productHint ?? version)
    .replace(/^\D*/, '')
    .split('.')
    .map((part) => Number.parseInt(part, 10));
  return major >= 8 && minor >= 2 ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
}

async function askForPosition(database: Database, statement: string): Promise<PositionAnswer> {
  try {
    const rows = await database.query(statement);
    return { kind: rows.length > 0 ? 'told' : 'none' };
  } catch (error) {
    const { errno: errorNumber } = error as { errno?: unknown };
    if (errorNumber === ACCESS_DENIED) return { kind: 'denied', statement, errorNumber };
    if (errorNumber === PARSE_ERROR) return { kind: 'unknown', statement, errorNumber };
    throw error;
  }
}

/** Quoted as lines of SHOW GRANTS name roles; undefined if the server knows no roles. */
async function activeRoles(database: Database): Promise<ReadonlySet<string> | undefined> {
  try {
    const [row] = await database.query('SELECT CURRENT_ROLE() AS roles');
    const roles = String(row?.roles ?? 'NONE');
    if (roles === 'NONE') return new Set();
    return new Set(roles.startsWith('`') ? roles.split(/(?<=`),(?=`)/) : [quoteName(roles)]);
  } catch (error) {
    // A server without roles does not know the function. Only a lost connection gives no number.
    if (typeof (error as { errno?: unknown }).errno === 'number') return undefined;
    throw error;
  }
}

/** mydumper writes such routines without a body, or as NULL, and exits with 0. */
async function readUnreadableRoutines(
  database: Database,
  databases: readonly string[],
): Promise<UserRights['unreadableRoutines']> {
  const rows = await database.query(
    `SELECT ROUTINE_SCHEMA AS db, ROUTINE_NAME AS name
     FROM information_schema.ROUTINES WHERE ROUTINE_DEFINITION IS NULL`,
  );
  // Compared here: of names that differ in case alone, `IN` finds the rows of one only.
  const dumped = new Set(databases);
  return rows
    .map(({ db, name }) => ({ database: String(db), name: String(name) }))
    .filter(({ database: name }) => dumped.has(name));
}

/**
 * MariaDB names triggers to a user with INSERT, UPDATE or DELETE on the table, with an empty
 * definer. mydumper then asks for the trigger, is refused, and fails or crashes.
 */
async function readUnreadableTriggers(
  database: Database,
  databases: readonly string[],
): Promise<UserRights['unreadableTriggers']> {
  const rows = await database.query(
    `SELECT EVENT_OBJECT_SCHEMA AS db, EVENT_OBJECT_TABLE AS name
     FROM information_schema.TRIGGERS WHERE COALESCE(DEFINER, '') = ''`,
  );
  const dumped = new Set(databases);
  return rows
    .map(({ db, name }) => ({ database: String(db), table: String(name) }))
    .filter(({ database: name }) => dumped.has(name));
}
