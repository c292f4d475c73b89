import type { Reading } from '../commands/reading.ts';
import type { Database } from '../database/connection.ts';
import { Failure } from '../errors.ts';
import { ContentFault, readContent } from '../manifest/content.ts';
import { findBackup, loadManifest } from '../manifest/find.ts';
import type { Manifest, ManifestFile } from '../manifest/schema.ts';
import { readMetadataTables } from '../mydumper/metadata-tables.ts';
import type { BackupStore } from '../storage/backup-store.ts';
import { type Selection, selectFiles } from './selection.ts';
import { openState, type RestoreState, restoreId } from './state.ts';
import type { Target } from './target.ts';

/**
 * The most bytes held in memory: definitions and `metadata`, never rows. The `metadata` of 1.x for
 * a million tables stays below it.
 */
const LARGEST_TEXT_BYTES = 256 * 1024 * 1024;

/** What is to be restored, found out before anything is changed. */
export type RestorePlan = {
  readonly manifest: Manifest;
  readonly location: string;
  readonly selection: Selection;
};

/**
 * @throws Failure `preflight` when the backup is not trustworthy, or does not hold a requested
 *   object.
 */
export async function planRestore({ config, store }: Reading): Promise<RestorePlan> {
  const { databases } = config.dump;
  const folder = await findBackup(store, config);
  const manifest = await loadManifest(store, folder, 'preflight');
  const file = manifest.files.find(({ kind }) => kind === 'metadata');
  if (file === undefined)
    throw new Failure('preflight', `${folder}: the backup has no metadata file`);
  const { realNames } = readMetadataTables(await readText(store, file, manifest));
  const { tables: patterns, what } = config.reading.restore;
  const selection = selectFiles(manifest, { databases, tables: patterns, what }, realNames);
  return {
    manifest,
    location: `s3://${config.store.bucket}/${folder}`,
    selection,
  };
}

/** The server as the place to restore into, and what it remembers of this restore. */
export function onServer(
  { config }: Reading,
  { manifest, location }: RestorePlan,
  database: Database,
): { target: Target; state: RestoreState } {
  const state = openState(database, restoreId(manifest, config), location);
  return { target: { database, as: config.reading.restore.as }, state };
}

/**
 * The whole content of a small file of the dump, compared with the manifest.
 * @throws Failure `restore`
 */
export async function readText(
  store: BackupStore,
  file: ManifestFile,
  manifest: Manifest,
): Promise<string> {
  return (await readBytes(store, file, manifest)).toString('utf8');
}

/** The same as bytes. */
export async function readBytes(
  store: BackupStore,
  file: ManifestFile,
  manifest: Manifest,
): Promise<Buffer> {
  if (file.dumpedBytes > LARGEST_TEXT_BYTES)
    throw new Failure(
      'restore',
      `${file.key}: ${file.dumpedBytes} bytes are too many for a definition`,
    );
  const pieces: Buffer[] = [];
  try {
    for await (const piece of readContent(store, file, manifest.compression)) pieces.push(piece);
  } catch (error) {
    if (error instanceof ContentFault)
      throw new Failure('restore', `${file.key}: ${error.message}`, { cause: error });
    throw error;
  }
  return Buffer.concat(pieces);
}
