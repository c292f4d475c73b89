import { databasesOpened } from '../mydumper/arguments.ts';
import type { Generation } from '../mydumper/version.ts';
import type { Database } from './connection.ts';
import { rolesOf } from './grants.ts';
import type { Inventory } from './inventory.ts';
import { type PositionAnswer, quoteAccount, quoteName, type UserRights } from './privileges.ts';

/** ER_SPECIFIC_ACCESS_DENIED_ERROR: a privilege for an operation is missing. */
export const ACCESS_DENIED = 1227;
/** ER_PARSE_ERROR: the server does not know the statement. */
const PARSE_ERROR = 1064;

/**
 * Reads what the user may do beyond SHOW GRANTS. Asks for the position in the binary log as
 * mydumper will.
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
  };
}

/**
 * The statement by which mydumper asks, as each generation chooses it (`detect_replica` in the
 * source of 1.x).
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

/** Quoted as lines of SHOW GRANTS name roles; undefined where the server has none. */
async function activeRoles(database: Database): Promise<ReadonlySet<string> | undefined> {
  try {
    const [row] = await database.query('SELECT CURRENT_ROLE() AS roles');
    const roles = String(row?.roles ?? 'NONE');
    if (roles === 'NONE') return new Set();
    return new Set(roles.startsWith('`') ? roles.split(/(?<=`),(?=`)/) : [quoteName(roles)]);
  } catch (error) {
    // A server without roles does not know the function; only a connection that is lost gives no
    // number.
    if (typeof (error as { errno?: unknown }).errno === 'number') return undefined;
    throw error;
  }
}

/** mydumper writes them without a body, or as NULL, and exits with 0. */
async function readUnreadableRoutines(
  database: Database,
  databases: readonly string[],
): Promise<UserRights['unreadableRoutines']> {
  const rows = await database.query(
    'SELECT ROUTINE_SCHEMA AS db, ROUTINE_NAME AS name FROM information_schema.ROUTINES WHERE ROUTINE_DEFINITION IS NULL',
  );
  // Compared here: where names differ in case alone, `IN` gives the rows of one of them.
  const dumped = new Set(databases);
  return rows
    .map(({ db, name }) => ({ database: String(db), name: String(name) }))
    .filter(({ database: name }) => dumped.has(name));
}
