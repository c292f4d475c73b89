import type { Config } from '../config.ts';
import { MANIFEST_NAME } from '../contract.ts';
import { Failure, type FailureKind } from '../errors.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { LARGEST_MANIFEST_BYTES, readManifest } from './read.ts';
import type { Manifest } from './schema.ts';

const BACKUP_ID = /^\d{8}T\d{6}Z$/;
const SHOWN_SOURCES = 5;

/**
 * Key of the folder of a source, or of all sources without one. It ends in a slash unless it is the
 * bucket itself.
 */
export function sourcePrefix(config: Pick<Config, 'prefix'>, source?: string): string {
  return [config.prefix, source ?? '', ''].filter((part, at) => part !== '' || at === 2).join('/');
}

/** Ids of folders that look like backups, the oldest first. Some may have no manifest. */
export async function backupIds(store: BackupStore, prefix: string): Promise<string[]> {
  return (await store.folders(prefix)).filter((name) => BACKUP_ID.test(name)).toSorted();
}

/**
 * Whether a folder is a backup. Uses a listing: when a role may list only one prefix, S3 answers a
 * read of a missing object with 403 instead of 404.
 */
export async function hasManifest(store: BackupStore, folder: string): Promise<boolean> {
  const key = `${folder}${MANIFEST_NAME}`;
  for await (const object of store.objects(key)) if (object.key === key) return true;
  return false;
}

/**
 * The folder of the backup that BACKUP_ID names, ending in a slash. For `latest` it is the newest
 * one with a manifest.
 * @throws Failure `preflight` when there is no such backup, with a list of the sources that exist.
 */
export async function findBackup(store: BackupStore, config: Config): Promise<string> {
  const prefix = sourcePrefix(config, config.source);
  const { backupId } = config.reading;
  const ids = backupId === 'latest' ? (await backupIds(store, prefix)).toReversed() : [backupId];
  for (const id of ids) {
    if (await hasManifest(store, `${prefix}${id}/`)) return `${prefix}${id}/`;
  }
  const where = `s3://${config.store.bucket}/${prefix}`;
  if (backupId !== 'latest')
    throw new Failure(
      'preflight',
      `there is no backup ${backupId} in ${where}: no ${MANIFEST_NAME}`,
    );
  // A role may have access to one source only.
  const others = await store.folders(sourcePrefix(config)).catch(() => []);
  const sources = others.slice(0, SHOWN_SOURCES);
  const shown =
    sources.length === 0 ? 'no other source is visible' : `sources there: ${sources.join(', ')}`;
  throw new Failure(
    'preflight',
    ids.length > 0
      ? `there is no complete backup in ${where}: ${ids.length} folders without ${MANIFEST_NAME}`
      : `there is no backup in ${where}; ${shown}`,
  );
}

/**
 * Reads the manifest of a folder.
 * @throws Failure of `kind` with each reason to distrust it.
 */
export async function loadManifest(
  store: BackupStore,
  folder: string,
  kind: FailureKind,
): Promise<Manifest> {
  const key = `${folder}${MANIFEST_NAME}`;
  const body = await store.read(key, LARGEST_MANIFEST_BYTES);
  if (body === undefined) throw new Failure('preflight', `there is no object ${key}`);
  const read = readManifest(body.toString('utf8'), folder);
  if ('manifest' in read) return read.manifest;
  throw new Failure(
    kind,
    read.faults.map((fault) => `${key}: ${fault}`),
  );
}
