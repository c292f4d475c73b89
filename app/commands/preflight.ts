import type { Config } from '../config.ts';
import { openDatabase } from '../database/connection.ts';
import { type Inventory, missingDatabases, readInventory } from '../database/inventory.ts';
import { chooseLocking, type LockChoice } from '../database/locking.ts';
import { Failure, messageOf } from '../errors.ts';
import { unsupportedNames } from '../mydumper/naming.ts';
import { smallestBudgetBytes, statementBytes } from '../mydumper/statement-size.ts';
import { type MydumperVersion, readVersion } from '../mydumper/version.ts';
import { claimStaging, freeBytes, type Staging } from '../staging/directory.ts';
import type { ObjectStore } from '../storage/object-store.ts';

const MIB = 1024 * 1024;
/** The file system's own bookkeeping may take this from a file system made to the budget's measure. */
const FREE_SPACE_TOLERANCE_BYTES = 512 * 1024;

/** What was found out before anything was started. */
export type Preflight = {
  readonly mydumper: MydumperVersion;
  readonly inventory: Inventory;
  readonly lock: LockChoice;
  readonly statementBytes: number;
};

/**
 * Looks at tools, server, privileges, bucket and budget, from the cheap to the costly. Changes nothing anywhere.
 * @throws Failure `preflight` or `configuration` with the reason and the way out.
 */
export async function preflight(config: Config, store: ObjectStore, folder: string): Promise<Preflight> {
  const statement = requireFeasibleBudget(config);
  const mydumper = await readVersion(config.dump.mydumper, 'MYDUMPER_BIN', config.dump.searchPath);
  const inventory = await inspectServer(config);
  refuseNames(config, mydumper, inventory);
  const lock = chooseLocking(config.dump.lockMode, mydumper.generation, inventory.grants);
  await store.probe(`${folder}manifest.json`);
  return { mydumper, inventory, lock, statementBytes: statement };
}

/** Takes the staging directory, once everything else may go ahead. @throws Failure `preflight`. */
export function prepareStaging(config: Config): Staging {
  const { directory, budgetBytes } = config.staging;
  const staging = claimStaging(directory);
  const free = freeBytes(directory);
  if (free + FREE_SPACE_TOLERANCE_BYTES < budgetBytes) {
    staging.clear();
    throw new Failure(
      'preflight',
      `STAGING_LIMIT_MB: the budget is ${inMiB(budgetBytes)} MiB, but only ${inMiB(free)} MiB are free in OUTPUTDIR="${directory}"`,
    );
  }
  return staging;
}

function requireFeasibleBudget({ dump, staging }: Config): number {
  const statement = statementBytes(staging.budgetBytes, dump.threads);
  const smallest = smallestBudgetBytes(dump.threads, dump.chunkMiB, statement);
  if (smallest > staging.budgetBytes) {
    throw new Failure(
      'configuration',
      `STAGING_LIMIT_MB=${inMiB(staging.budgetBytes)}: too small for THREADS=${dump.threads} and ` +
        `CHUNK_FILE_SIZE_MB=${dump.chunkMiB}; at least ${Math.ceil(smallest / MIB)} would work`,
    );
  }
  return statement;
}

async function inspectServer(config: Config): Promise<Inventory> {
  const database = await openDatabase(config.server);
  try {
    const inventory = await readInventory(database, config.dump.databases);
    const missing = missingDatabases(inventory, config.dump.databases);
    if (missing.length > 0) {
      throw new Failure(
        'preflight',
        `DATABASES: ${missing.map((name) => JSON.stringify(name)).join(', ')} ${missing.length === 1 ? 'is' : 'are'} ` +
          `not there, or not visible to the user ${config.server.user}`,
      );
    }
    if (inventory.databases.length === 0) {
      throw new Failure(
        'preflight',
        `there is no database to back up that the user ${config.server.user} can see`,
      );
    }
    return inventory;
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('preflight', `cannot read the list of tables: ${messageOf(error)}`, { cause: error });
  } finally {
    await database.close();
  }
}

function refuseNames(
  config: Config,
  { generation }: MydumperVersion,
  { databases, tables }: Inventory,
): void {
  const problems = unsupportedNames(generation, databases, tables);
  if (problems.length === 0) return;
  const shown = problems.slice(0, 5).join('; ');
  const more = problems.length > 5 ? ` and ${problems.length - 5} more` : '';
  throw new Failure(
    'preflight',
    `${config.dump.mydumper} would lose tables with such names: ${shown}${more}; use mydumper 1.x (MYDUMPER_BIN)`,
  );
}

function inMiB(bytes: number): number {
  return Math.floor(bytes / MIB);
}
