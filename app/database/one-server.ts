import type { ServerConfig } from '../config.ts';
import { Failure } from '../errors.ts';
import { type Database, openDatabase, type Row } from './connection.ts';
import { addressOf, newRunMark, ONE_SERVER, type RunMark } from './run-mark.ts';

/** How a server identifies itself. Two servers may share all of it, as two containers do. */
export type ServerIdentity = {
  /** Host name, port and server_id, for people. */
  readonly name: string;
  /** MySQL's `server_uuid`, or MariaDB's `server_uid`; empty if there is none. */
  readonly uuid: string;
  /** Seconds since 1970, by the server's clock. */
  readonly startedAt: number;
};

const VARIABLES = ['server_uuid', 'server_uid', 'hostname', 'port', 'server_id'];
/** `Uptime` is in whole seconds, and clocks are adjusted. */
const START_TOLERANCE_SECONDS = 5;

/** Needs no privilege. */
export async function readIdentity(database: Database): Promise<ServerIdentity> {
  const rows = await database.query(
    `SHOW GLOBAL VARIABLES WHERE Variable_name IN (${VARIABLES.map(() => '?').join(', ')})`,
    VARIABLES,
  );
  const values = Object.fromEntries(
    rows.map((row) => [String(row.Variable_name), row.Value ?? null]),
  );
  const [uptime] = await database.query("SHOW GLOBAL STATUS WHERE Variable_name = 'Uptime'");
  const [now] = await database.query('SELECT UNIX_TIMESTAMP() AS seconds');
  return {
    name: nameOf(values),
    uuid: String(values.server_uuid ?? values.server_uid ?? ''),
    startedAt: Number(now?.seconds) - Number(uptime?.Value),
  };
}

function nameOf({ hostname, port, server_id: serverId }: Row): string {
  return `${hostname}:${port} (server_id ${serverId})`;
}

/** Whether both may be one server that was not restarted in between. Pure. */
export function mayBeSame(left: ServerIdentity, right: ServerIdentity): boolean {
  return (
    left.name === right.name &&
    left.uuid === right.uuid &&
    Math.abs(left.startedAt - right.startedAt) <= START_TOLERANCE_SECONDS
  );
}

/**
 * Opens connections until there are `count`, including `database`, and compares the servers they
 * reach. Keeps all of them open meanwhile, so that a round-robin or least-connections balancer
 * spreads them.
 * @throws Failure `preflight` when they reach several servers.
 */
export async function requireOneServer(
  server: ServerConfig,
  database: Database,
  count: number,
): Promise<ServerIdentity> {
  const mark = newRunMark();
  await database.query('DO GET_LOCK(?, 0)', [mark]);
  const opening = Array.from({ length: count - 1 }, () => openDatabase(server));
  const opened = await Promise.allSettled(opening);
  const others = opened.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  try {
    await Promise.all(opening);
    const looks = await Promise.all([database, ...others].map((each) => lookBy(each, mark)));
    const fault = severalAmong(looks);
    if (fault === undefined) return await readIdentity(database);
    throw new Failure('preflight', `${addressOf(server)}: ${fault}; ${ONE_SERVER}`);
  } finally {
    await Promise.all(others.map((connection) => connection.close()));
  }
}

/** The server that one connection reached. */
type Look = {
  readonly identity: ServerIdentity;
  /** The name of the server that answers SELECT; a proxy may send other statements elsewhere. */
  readonly selectedName: string;
  /** Whether that server holds the mark. */
  readonly sees: boolean;
};

async function lookBy(database: Database, mark: RunMark): Promise<Look> {
  const [row = {}] = await database.query(
    `SELECT @@hostname AS hostname, @@port AS port, @@server_id AS server_id,
       IS_USED_LOCK(?) AS holder`,
    [mark],
  );
  return {
    identity: await readIdentity(database),
    selectedName: nameOf(row),
    sees: row.holder !== null,
  };
}

/** How it shows that connections reached several servers; undefined if they reached one. Pure. */
export function severalAmong(looks: readonly Look[]): string | undefined {
  const split = looks.find(({ identity, selectedName }) => selectedName !== identity.name);
  if (split !== undefined) {
    const servers = `${split.selectedName} and ${split.identity.name}`;
    return `a proxy sends statements of one connection to different servers, ${servers}`;
  }
  const names = new Set(looks.map(({ identity }) => identity.name));
  const uuids = new Set(looks.map(({ identity }) => identity.uuid));
  const count = `${looks.length} connections`;
  if (names.size > 1) return `${count} reached different servers: ${[...names].join(' and ')}`;
  if (uuids.size > 1 || looks.some(({ sees }) => !sees))
    return `${count} reached different servers that all call themselves ${[...names].join()}`;
  return undefined;
}
