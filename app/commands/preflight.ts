import type { Config } from '../config.ts';
import { openDatabase } from '../database/connection.ts';
import { type Inventory, missingDatabases, readInventory } from '../database/inventory.ts';
import { chooseLocking, type Lockable, type LockChoice } from '../database/locking.ts';
import { findLosses, type Losses } from '../database/losses.ts';
import { requireOneServer, type ServerIdentity } from '../database/one-server.ts';
import {
  type MissingPrivilege,
  missingPrivileges,
  READING,
  type UserRights,
  unseenPrograms,
} from '../database/privileges.ts';
import { type Programs, readPrograms } from '../database/programs.ts';
import { readServerFacts, type ServerFacts } from '../database/server-facts.ts';
import { readSessionCipher, type SessionCipher } from '../database/tls.ts';
import { readUserRights } from '../database/user-rights.ts';
import { Failure, messageOf } from '../errors.ts';
import { type BudgetPlan, planBudget, smallestWorkingBudgetMiB } from '../governor/feasibility.ts';
import { narrowsTheDump, surprisesOf } from '../mydumper/extra-arguments.ts';
import { misleadingNames, unsupportedNames } from '../mydumper/naming.ts';
import { type ToolTls, tlsRefusal, toolTls, unusedAuthority } from '../mydumper/tls.ts';
import { type MydumperVersion, readVersion } from '../mydumper/version.ts';
import { claimStaging, freeBytes, type Staging } from '../staging/directory.ts';
import { canPunchHoles } from '../staging/punch-hole.ts';
import type { ObjectStore } from '../storage/object-store.ts';

const MIB = 1024 * 1024;
/**
 * The file system's own bookkeeping may take this from a file system made to the budget's measure.
 */
const FREE_SPACE_TOLERANCE_BYTES = 512 * 1024;
const SHOWN_REFUSALS = 5;
/** Connections opened at once to see whether they reach one server. */
const FEWEST_COMPARED = 4;
const MOST_COMPARED = 8;

/** What was found out before anything was started. */
export type Preflight = {
  readonly mydumper: MydumperVersion;
  readonly identity: ServerIdentity;
  readonly inventory: Inventory;
  readonly facts: ServerFacts;
  readonly programs: Programs;
  /** How mydumper is told of TLS_MODE. */
  readonly tls: ToolTls;
  /** Of our own connection; undefined where the server shows none. */
  readonly cipher: SessionCipher | undefined;
  readonly lock: LockChoice;
  /** Why mydumper can record no binary log position, for the manifest; undefined where it can. */
  readonly positionUnavailable: string | undefined;
  /** What the dump will not hold, or not as it is. */
  readonly warnings: readonly string[];
};

/**
 * Looks at tools, server, privileges, bucket and budget, from the cheap to the costly. Changes
 * nothing anywhere; `signal` ends it.
 * @throws Failure `preflight` or `configuration` with the reason and the way out.
 */
export async function preflight(
  config: Config,
  store: ObjectStore,
  folder: string,
  signal: AbortSignal,
): Promise<Preflight> {
  const mydumper = await readVersion(
    config.dump.mydumper,
    'MYDUMPER_BIN',
    config.dump.searchPath,
    signal,
  );
  const refusal = tlsRefusal(mydumper, config.server.tls);
  if (refusal !== undefined) throw new Failure('preflight', refusal);
  planWithin(config, mydumper, true);
  const inspected = await inspectServer(config, mydumper);
  const { identity, inventory, rights, facts, programs, losses, tls, cipher } = inspected;
  const { lock, warnings: lacking } = requirePrivileges(config, mydumper, {
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
      ...lacking,
    ],
  };
}

/** A staging directory that was taken, and the sizes with which its budget works. */
export type Prepared = {
  readonly staging: Staging;
  readonly punching: boolean;
  readonly plan: BudgetPlan;
};

/**
 * Takes the staging directory, once everything else may go ahead.
 * @throws Failure `preflight` or `configuration`.
 */
export function prepareStaging(config: Config, mydumper: MydumperVersion): Prepared {
  const { directory, budgetBytes } = config.staging;
  const staging = claimStaging(directory);
  try {
    const free = freeBytes(directory);
    if (free + FREE_SPACE_TOLERANCE_BYTES < budgetBytes) {
      throw new Failure(
        'preflight',
        `STAGING_LIMIT_MB: the budget is ${inMiB(budgetBytes)} MiB, but only ${inMiB(free)} MiB are free in OUTPUTDIR="${directory}"`,
      );
    }
    const punching = canPunchHoles(directory);
    return { staging, punching, plan: planWithin(config, mydumper, punching) };
  } catch (error) {
    staging.clear();
    throw error;
  }
}

function planWithin(
  config: Config,
  { generation }: MydumperVersion,
  punching: boolean,
): BudgetPlan {
  const { dump, staging, store, compression } = config;
  const wanted = { threads: dump.threads, chunkMiB: dump.chunkMiB, partBytes: store.partBytes };
  const circumstances = { budgetBytes: staging.budgetBytes, generation, compression, punching };
  const plan = planBudget(wanted, circumstances);
  if (plan !== undefined) return plan;
  throw new Failure(
    'configuration',
    `STAGING_LIMIT_MB=${inMiB(staging.budgetBytes)}: too small whatever the other sizes; ` +
      `at least ${smallestWorkingBudgetMiB(wanted, circumstances)} would work`,
  );
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
    const losses = await findLosses(database, generation, inventory);
    const names = [
      ...misleadingNames(inventory),
      ...unsupportedNames(generation, inventory, inventory.vendor),
    ];
    const facts = await readServerFacts(database, inventory.databases);
    const programs = {
      list: await readPrograms(database, inventory.databases),
      unseen: unseenPrograms({ ...inventory, ...rights }),
    };
    const tls = toolTls(mydumper, config.server.tls, database.transport);
    const cipher = await readSessionCipher(database.query);
    return {
      ...{ identity, inventory, rights, facts, programs, tls, cipher },
      losses: { ...losses, refusals: [...names, ...losses.refusals] },
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

/** Fewer than the dump takes, so that no limit of connections is met here first. */
function connectionsToCompare({ dump }: Config): number {
  return Math.min(Math.max(dump.threads + 1, FEWEST_COMPARED), MOST_COMPARED);
}

function requireDatabases({ dump, server }: Config, inventory: Inventory): void {
  const missing = missingDatabases(inventory, dump.databases);
  if (missing.length > 0) {
    throw new Failure(
      'preflight',
      `DATABASES: ${missing.map((name) => JSON.stringify(name)).join(', ')} ${missing.length === 1 ? 'is' : 'are'} ` +
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
 * Chooses how to lock, and refuses a user who lacks a privilege without which the dump would fail,
 * stop writers or be inconsistent. All that is lacking is told at once.
 * @returns with the warnings about privileges that the dump does not need.
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
 * Refuses a backup that would be called good and be found lacking on the day of its restore. Where
 * MYDUMPER_ARGS leaves things out it cannot be known whether these are among them: then it is a
 * warning.
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
  const shown = refusals.slice(0, SHOWN_REFUSALS).join('; ');
  const more =
    refusals.length > SHOWN_REFUSALS ? `; and ${refusals.length - SHOWN_REFUSALS} more` : '';
  const wayOut =
    generation === 'classic'
      ? '; use mydumper 1.x (MYDUMPER_BIN), or leave them out by --regex in MYDUMPER_ARGS'
      : '';
  throw new Failure('preflight', `${shown}${more}${wayOut}`);
}

function inMiB(bytes: number): number {
  return Math.floor(bytes / MIB);
}
