import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { readManifest } from '../../app/manifest/read.ts';
import type { Manifest } from '../../app/manifest/schema.ts';
import { firstFew } from '../../app/text.ts';
import { BUCKET, leftInStaging, manifestKeys, type World } from '../e2e/world.ts';
import { dropAll } from '../restore/setting.ts';
import { objectsOf, unpackBackup } from '../support/backup-folder.ts';
import { describeServer, differences, type ServerDescription } from '../support/mariadb/compare.ts';
import type { MariaDb } from '../support/mariadb/harness.ts';
import { loadAsSql } from '../support/mariadb/load-as-sql.ts';
import { loadWithMyloader } from '../support/mariadb/tools.ts';
import { processesWith } from '../support/processes.ts';
import { type Ended, logLines, runProgram } from '../support/program.ts';
import { Refused } from './row.ts';

/** A backup in the world's bucket. */
export type Backup = {
  readonly manifest: Manifest;
  /** The warnings of the run. */
  readonly warnings: readonly string[];
};

/**
 * Runs `backup` to its end and reads its manifest with the checks of a restore.
 *
 * @throws Refused where the program refused it before the dump, Error where it failed.
 */
export async function backUp(
  world: World,
  extra: Record<string, string>,
  run: (environment: Record<string, string>) => Promise<Ended> = runProgram,
): Promise<Backup> {
  const ended = await run(world.environment(extra));
  const backup = await backupOf(world, ended);
  const left = leftInStaging(world);
  if (left.length > 0) throw new Error(`left in staging: ${left.join(', ')}`);
  return backup;
}

/** The backup that an ended run made. @throws Refused or Error where it made none. */
export async function backupOf(world: World, ended: Ended): Promise<Backup> {
  if (ended.code === 3) throw new Refused(reasonOf(ended));
  if (ended.code !== 0) throw new Error(`exit ${ended.code}: ${reasonOf(ended)}`);
  const log = logLines(ended.stdout);
  const location = String(log.find(({ event }) => event === 'started')?.location);
  const folder = location.replace(`s3://${BUCKET}/`, '');
  const text = (await world.s3.readObject(BUCKET, `${folder}manifest.json`)).toString('utf8');
  const read = readManifest(text, folder);
  if ('faults' in read) throw new Error(`its manifest is refused: ${read.faults.join('; ')}`);
  return {
    manifest: read.manifest,
    warnings: log.filter(({ event }) => event === 'warning').map(({ message }) => String(message)),
  };
}

/** The reason that a failed run gave. */
export function reasonOf({ code, signal, stdout, stderr }: Ended): string {
  const failed = logLines(stdout).find(({ event }) => event === 'failed');
  return String(
    failed?.reason ??
      failed?.message ??
      (stderr.trim() || `exit ${code ?? signal}, without a reason`),
  );
}

/** The number of manifests in the bucket. */
export async function manifestsIn(world: World): Promise<number> {
  return (await manifestKeys(world)).length;
}

/** The outcome of a disturbed run: an intact backup, or no backup and a reason. */
export async function endOfDisturbed(
  world: World,
  ended: Ended,
  manifestsBefore: number,
): Promise<Backup | string> {
  if (ended.code === 0) return backupOf(world, ended);
  if ((await manifestsIn(world)) > manifestsBefore)
    throw new Error(`exit ${ended.code}, but the bucket has a new manifest`);
  const left = processesWith(world.staging);
  if (left.length > 0)
    throw new Error(`still running: ${left.map(({ commandLine }) => commandLine).join(', ')}`);
  return `exit ${ended.code}: ${reasonOf(ended)}`;
}

/** Runs `use` with a directory that holds the backup's files as mydumper wrote them. */
export async function unpacked<T>(
  world: World,
  { manifest }: Backup,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(world.directory, 'unpacked-'));
  try {
    await unpackBackup(objectsOf(world.s3, BUCKET), manifest, directory);
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Loads a backup into the empty server `copy` as plain SQL, and compares the result with `before`.
 */
export async function expectSameAsSql(
  world: World,
  copy: MariaDb,
  backup: Backup,
  before: ServerDescription,
): Promise<void> {
  await dropAll(copy);
  await unpacked(world, backup, (directory) => loadAsSql(copy, directory, backup.manifest));
  await expectSame(copy, before);
}

/**
 * Loads a backup into the empty server `copy` with plain myloader, and compares the result with
 * `before`.
 */
export async function expectSameByMyloader(
  world: World,
  copy: MariaDb,
  backup: Backup,
  before: ServerDescription,
): Promise<void> {
  await dropAll(copy);
  const { exitCode, problems } = await unpacked(world, backup, (directory) =>
    loadWithMyloader(copy, directory),
  );
  if (exitCode !== 0) {
    const errors = problems.filter((line) => /CRITICAL|ERROR/.test(line));
    throw new Error(
      `myloader ended with ${exitCode}: ${[...errors, ...problems].slice(0, 2).join('; ')}`,
    );
  }
  await expectSame(copy, withoutModes(before));
}

/** No generation of myloader restores the SQL modes of programs. A separate row covers them. */
function withoutModes({ objects }: ServerDescription): ServerDescription {
  const entries = Object.entries(objects).map(
    ([name, { sql_mode: _mode, ...facts }]) => [name, facts] as const,
  );
  return { objects: Object.fromEntries(entries) };
}

/**
 * Compares `copy` with `before`. Facts that `before` does not have are ignored.
 * @throws Error that names at most three differences.
 */
export async function expectSame(copy: MariaDb, before: ServerDescription): Promise<void> {
  const databases = databasesIn(before);
  const missing = [];
  for (const name of databases) {
    const rows = await copy.query(
      'SELECT 1 FROM information_schema.SCHEMATA WHERE BINARY SCHEMA_NAME = ?',
      [name],
    );
    if (rows.length === 0) missing.push(name);
  }
  if (missing.length > 0)
    throw new Error(`databases missing after the load: ${missing.join(', ')}`);
  const after = await describeServer(copy, databases);
  const lines = differences(before, { objects: onlyFactsOf(before, after) });
  if (lines.length === 0) return;
  throw new Error(`after the load: ${firstFew(lines, 3).join('; ')}`);
}

function databasesIn({ objects }: ServerDescription): string[] {
  return Object.keys(objects)
    .filter((name) => name.startsWith('database `'))
    .map((name) => name.slice('database `'.length, -1).replaceAll('``', '`'));
}

function onlyFactsOf(
  before: ServerDescription,
  after: ServerDescription,
): ServerDescription['objects'] {
  const entries = Object.entries(after.objects).map(([name, facts]) => {
    const known = before.objects[name];
    if (known === undefined) return [name, facts] as const;
    return [
      name,
      Object.fromEntries(Object.entries(facts).filter(([fact]) => fact in known)),
    ] as const;
  });
  return Object.fromEntries(entries);
}
