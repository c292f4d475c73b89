import { MANIFEST_NAME } from '../contract.ts';
import { forEach } from '../for-each.ts';
import { backupIds, hasManifest, sourcePrefix } from '../manifest/find.ts';
import { LARGEST_MANIFEST_BYTES, readManifest } from '../manifest/read.ts';
import { type ListedBackup, renderList } from '../observe/render-list.ts';
import type { Reading } from './reading.ts';

/** Each one holds a manifest in memory. */
const MANIFESTS_AT_ONCE = 8;

/**
 * Lists the backups of SOURCE, or of all sources when SOURCE is not set or LIST_ALL is. Reads
 * folders by delimiter and one manifest each, never the objects.
 */
export async function list({ config, store }: Reading): Promise<void> {
  const one = config.sourceGiven && !config.reading.all;
  const sources = one ? [config.source] : await store.folders(sourcePrefix(config));
  const folders: { source: string; backupId: string; folder: string }[] = [];
  for (const source of sources) {
    const prefix = sourcePrefix(config, source);
    for (const backupId of await backupIds(store, prefix))
      folders.push({ source, backupId, folder: `${prefix}${backupId}/` });
  }
  const found: ListedBackup[] = [];
  await forEach(
    folders.entries(),
    MANIFESTS_AT_ONCE,
    async ([at, { source, backupId, folder }]) => {
      const location = `s3://${config.store.bucket}/${folder}`;
      const body = (await hasManifest(store, folder))
        ? await store.read(`${folder}${MANIFEST_NAME}`, LARGEST_MANIFEST_BYTES)
        : undefined;
      found[at] = { source, backupId, location, ...stateOf(body, folder) };
    },
  );
  if (config.reading.json) process.stdout.write(`${JSON.stringify({ backups: found })}\n`);
  else
    process.stdout.write(
      renderList(
        found,
        `s3://${config.store.bucket}/${sourcePrefix(config, one ? config.source : undefined)}`,
      ),
    );
}

function stateOf(
  body: Buffer | undefined,
  folder: string,
): Pick<ListedBackup, 'state' | 'fault' | 'summary'> {
  if (body === undefined) return { state: 'incomplete' };
  const read = readManifest(body.toString('utf8'), folder);
  if ('faults' in read) return { state: 'bad manifest', fault: read.faults[0] ?? '' };
  const { startedAt, finishedAt, databases, totals, consistency, compression, server, narrowedBy } =
    read.manifest;
  return {
    state: 'complete',
    summary: {
      startedAt,
      finishedAt,
      seconds: (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000,
      databases,
      files: totals.files,
      dumpedBytes: totals.dumpedBytes,
      storedBytes: totals.storedBytes,
      compression,
      lock: consistency.lock,
      consistency: consistency.description,
      server: `${server.vendor} ${server.version}`,
      narrowedBy,
    },
  };
}
