import type { Config } from '../config.ts';
import { openDatabase } from '../database/connection.ts';
import { type Inventory, missingDatabases, readInventory } from '../database/inventory.ts';
import { chooseLocking, type Lockable, type LockChoice } from '../database/locking.ts';
import type { Losses } from '../database/loss-lines.ts';
import { findLosses } from '../database/losses.ts';
import { requireOneServer, type ServerIdentity } from '../database/one-server.ts';
import { READING } from '../database/privilege-table.ts';
import {
  type MissingPrivilege,
  missingPrivileges,
  unseenPrograms,
} from '../database/privileges.ts';
import { missingSettings, type Programs, readPrograms } from '../database/programs.ts';
import { readServerFacts, type ServerFacts } from '../database/server-facts.ts';
import { readSessionCipher, type SessionCipher } from '../database/tls.ts';
import { readUserRights, type UserRights } from '../database/user-rights.ts';
import { Failure, messageOf } from '../errors.ts';
import { narrowsTheDump, surprisesOf } from '../mydumper/extra-arguments.ts';
import { misleadingNames, unsupportedNames } from '../mydumper/naming.ts';
import { type ToolTls, tlsRefusal, toolTls, unusedAuthority } from '../mydumper/tls.ts';
import { type MydumperVersion, readVersion } from '../mydumper/version.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { firstFew } from '../text.ts';
import { planWithin } from './prepare-staging.ts';

const SHOWN_REFUSALS = 5;
/** Connections opened at once to check that they reach one server. */
const FEWEST_COMPARED = 4;
const MOST_COMPARED = 8;

/** The result of the checks before anything is started. */
export type Preflight = {
  readonly mydumper: MydumperVersion;
  readonly identity: ServerIdentity;
  readonly inventory: Inventory;
  readonly facts: ServerFacts;
  readonly programs: Programs;
  /** Flags and option lines that give TLS_MODE to mydumper. */
  readonly tls: ToolTls;
  /** Of our own connection; undefined when the server shows none. */
  readonly cipher: SessionCipher | undefined;
  readonly lock: LockChoice;
  /** Why mydumper can record no binary log position, for the manifest. Undefined when it can. */
  readonly positionUnavailable: string | undefined;
  /** Objects that the dump will not hold, or will hold altered. */
  readonly warnings: readonly string[];
};

/**
 * Checks tools, server, privileges, bucket and budget, cheap checks first. Changes nothing.
 * `signal` ends it.
 * @throws Failure `preflight` or `configuration` with the reason and the way out.
 */
export async function preflight(
  config: Config,
  store: ObjectStore,
  folder: string,
  signal: AbortSignal,
): Promise<Preflight> {
  const mydumper = await readVersion(config.dump.mydumper, config.dump.searchPath, signal);
  const refusal = tlsRefusal(mydumper, config.server.tls);
  if (refusal !== undefined) throw new Failure('preflight', refusal);
  planWithin(config, mydumper, true);
  const inspected = await inspectServer(config, mydumper);
  const { identity, inventory, rights, facts, programs, losses, tls, cipher } = inspected;
  const { lock, warnings: lockWarnings } = requirePrivileges(config, mydumper, {
    ...inventory,
    ...rights,
  });
  const warnings = requireComplete(config, mydumper, losses);
  await store.probe(`${folder}manifest.json`);
  return {
    mydumper,
    identity,
    inventory,
    facts,
    programs,
    tls,
    cipher,
    lock,
    positionUnavailable: lock.positionUnavailable,
    warnings: [
      ...surprisesOf(mydumper.generation, config.dump.extraArguments),
      ...unusedAuthority(config.server.tls),
      ...warnings,
      ...lockWarnings,
    ],
  };
}

async function inspectServer(
  config: Config,
  mydumper: MydumperVersion,
): Promise<
  Pick<Preflight, 'identity' | 'inventory' | 'facts' | 'programs' | 'tls' | 'cipher'> & {
    readonly rights: UserRights;
    readonly losses: Losses;
  }
> {
  const { generation } = mydumper;
  const database = await openDatabase(config.server);
  try {
    const identity = await requireOneServer(config.server, database, connectionsToCompare(config));
    const inventory = await readInventory(database, config.dump.databases);
    requireDatabases(config, inventory);
    const rights = await readUserRights(database, generation, inventory);
    const losses = await findLosses(database, { generation, vendor: inventory.vendor }, inventory);
    const names = [
      ...misleadingNames(inventory),
      ...unsupportedNames(generation, inventory, inventory.vendor),
    ];
    const facts = await readServerFacts(database, inventory.databases);
    const list = await readPrograms(database, inventory.databases);
    const withoutSettings = missingSettings(list);
    const unseen = [...unseenPrograms({ ...inventory, ...rights }), ...withoutSettings];
    const programs = { list, unseen };
    const tls = toolTls(mydumper, config.server.tls, database.transport);
    const cipher = await readSessionCipher(database.query);
    return {
      ...{ identity, inventory, rights, facts, programs, tls, cipher },
      losses: {
        refusals: [...names, ...losses.refusals],
        warnings: [...losses.warnings, ...withoutSettings],
      },
    };
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('preflight', `cannot read the list of tables: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    await database.close();
  }
}

/** Fewer connections than the dump takes, so that no connection limit is hit here first. */
function connectionsToCompare({ dump }: Config): number {
  return Math.min(Math.max(dump.threads + 1, FEWEST_COMPARED), MOST_COMPARED);
}

function requireDatabases({ dump, server }: Config, inventory: Inventory): void {
  const missing = missingDatabases(inventory, dump.databases);
  if (missing.length > 0) {
    const names = missing.map((name) => JSON.stringify(name)).join(', ');
    throw new Failure(
      'preflight',
      `DATABASES: ${names} ${missing.length === 1 ? 'is' : 'are'} ` +
        `not there, or not visible to the user ${server.user}`,
    );
  }
  if (inventory.databases.length === 0) {
    throw new Failure(
      'preflight',
      `there is no database to back up that the user ${server.user} can see`,
    );
  }
}

/**
 * Chooses how to lock. Refuses a user without a privilege that the dump needs: without it the dump
 * would fail, stop writers or be inconsistent. Reports all missing privileges at once.
 * @returns also the warnings about privileges that the dump does not need.
 */
function requirePrivileges(
  config: Config,
  { generation }: MydumperVersion,
  server: Lockable,
): { lock: LockChoice; warnings: readonly string[] } {
  const { lockMode, extraArguments } = config.dump;
  const missing = missingPrivileges(server, { generation, lock: 'none' }, READING);
  const narrowed = narrowsTheDump(extraArguments);
  const isRefused = ({ outcome, sparable }: MissingPrivilege) =>
    outcome === 'refused' && !(sparable && narrowed);
  const refused = missing.filter(isRefused).map(({ line }) => line);
  let lock: LockChoice;
  try {
    lock = chooseLocking(lockMode, generation, server);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new Failure('preflight', [...refused, error.message].join(' '), { cause: error });
  }
  if (refused.length > 0) throw new Failure('preflight', refused.join(' '));
  return { lock, warnings: [...missing.map(({ line }) => line), ...lock.warnings] };
}

/**
 * Refuses a backup that would count as good but miss something at its restore. MYDUMPER_ARGS may
 * leave exactly those objects out, which this check cannot know. Then it only warns.
 * @returns the warnings.
 */
function requireComplete(
  config: Config,
  { generation }: MydumperVersion,
  losses: Losses,
): readonly string[] {
  const { refusals, warnings } = losses;
  if (narrowsTheDump(config.dump.extraArguments)) return [...refusals, ...warnings];
  if (refusals.length === 0) return warnings;
  const shown = firstFew(refusals, SHOWN_REFUSALS).join('; ');
  const ofClassic = generation === 'classic' && refusals.some((line) => line.includes('0.10'));
  const otherTool = ofClassic ? 'use mydumper 1.x (MYDUMPER_BIN), or ' : '';
  const wayOut = `${otherTool}leave them out by --regex in MYDUMPER_ARGS`;
  throw new Failure('preflight', `${shown}; ${wayOut}`);
}
