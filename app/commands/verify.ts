import { Failure } from '../errors.ts';
import { forEach } from '../for-each.ts';
import { compareListing, type Fault } from '../manifest/compare-listing.ts';
import { ContentFault, readContent } from '../manifest/content.ts';
import { findBackup, loadManifest } from '../manifest/find.ts';
import type { Manifest, ManifestClaim, ManifestFile } from '../manifest/schema.ts';
import { formatBytes, formatCount, formatDuration } from '../observe/format.ts';
import { firstFew } from '../text.ts';
import type { Reading } from './reading.ts';

/** HeadObject takes some 20 ms and no memory, so many run at once. */
const HEADS_AT_ONCE = 24;
/**
 * Limit for the lines of the failure. The log, the display and the JSON document hold all faults.
 */
const SHOWN_FAULTS = 10;

/**
 * Checks a backup in the bucket: each object of the manifest exists, with its size and checksum,
 * and no other object does. With VERIFY_FULL it also compares all content. Needs neither disk nor a
 * database.
 * @throws Failure `verification` after it has reported every fault.
 */
export async function verify(reading: Reading): Promise<void> {
  const { config, store, work } = reading;
  const startedAt = performance.now();
  const faults: Fault[] = [];
  const report = (fault: Fault) => {
    faults.push(fault);
    work.emit('fault', fault);
  };
  // 1. Choose the backup, and check its manifest.
  const folder = await findBackup(store, config);
  const location = `s3://${config.store.bucket}/${folder}`;
  work.emit('started', {
    message: `verifying ${location}`,
    detail: { location, full: config.reading.full },
  });
  const manifest = await manifestOf(reading, folder, report);
  if (manifest !== undefined) {
    // 2. Compare the listing: nothing missing, nothing extra.
    const listing = compareListing(manifest, folder);
    for await (const object of store.objects(folder)) {
      const fault = listing.saw(object);
      if (fault !== undefined) report(fault);
    }
    const { missing, files, claims } = listing.end();
    missing.forEach(report);
    // 3. Compare checksums, or all content.
    if (config.reading.full) {
      await compareChecksums(reading, claims, report);
      await compareContent(reading, manifest, files, report);
    } else await compareChecksums(reading, [...files, ...claims], report);
  }
  // 4. Report the result.
  const seconds = (performance.now() - startedAt) / 1000;
  if (config.reading.json)
    printResult({ location, full: config.reading.full, seconds, manifest, faults });
  if (faults.length > 0) throw new Failure('verification', summarize(location, faults));
  const files = formatCount(manifest?.totals.files ?? 0, 'file');
  const stored = formatBytes(manifest?.totals.storedBytes ?? 0);
  const compared = config.reading.full ? 'all content' : 'sizes and checksums';
  work.emit('succeeded', {
    lines: [
      `backup ${manifest?.backupId} is intact: ${location}`,
      `  ${files}, ${stored} stored, ${compared} compared in ${formatDuration(seconds)}`,
    ],
    detail: { location, ...manifest?.totals, seconds },
  });
}

async function manifestOf(
  { store }: Reading,
  folder: string,
  report: (fault: Fault) => void,
): Promise<Manifest | undefined> {
  try {
    return await loadManifest(store, folder, 'verification');
  } catch (error) {
    if (!(error instanceof Failure) || error.cause !== undefined || error.kind !== 'verification')
      throw error;
    for (const reason of error.lines)
      report({ key: `${folder}manifest.json`, reason: reason.replace(/^.*?manifest\.json: /, '') });
    return undefined;
  }
}

async function compareChecksums(
  { store, work }: Reading,
  objects: readonly (ManifestFile | ManifestClaim)[],
  report: (fault: Fault) => void,
): Promise<void> {
  let doneBytes = 0;
  const totalBytes = objects.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  await forEach(objects, HEADS_AT_ONCE, async ({ key, storedBytes, crc32 }) => {
    const head = await store.head(key);
    if (head === undefined) report({ key, reason: 'is missing' });
    else if (head.crc32 === undefined)
      report({ key, reason: 'has no CRC-32 in S3, so it was not written by the backup' });
    else if (head.crc32 !== crc32)
      report({ key, reason: `has the CRC-32 ${head.crc32}, the manifest says ${crc32}` });
    doneBytes += storedBytes;
    work.emit('sample', { stage: 'comparing checksums', doneBytes, totalBytes });
  });
}

async function compareContent(
  { config, store, work }: Reading,
  manifest: Manifest,
  files: readonly ManifestFile[],
  report: (fault: Fault) => void,
): Promise<void> {
  let doneBytes = 0;
  const totalBytes = files.reduce((sum, { dumpedBytes }) => sum + dumpedBytes, 0);
  await forEach(files, config.uploadConcurrency, async (file) => {
    try {
      for await (const piece of readContent(store, file, manifest.compression)) {
        doneBytes += piece.byteLength;
        work.emit('sample', { stage: 'comparing content', doneBytes, totalBytes });
      }
    } catch (error) {
      if (!(error instanceof ContentFault)) throw error;
      report({ key: file.key, reason: error.message });
    }
  });
}

function summarize(location: string, faults: readonly Fault[]): string[] {
  const lines = faults.map(({ key, reason }) => `${key}: ${reason}`);
  return [
    `${location} has ${formatCount(faults.length, 'fault')}`,
    ...firstFew(lines, SHOWN_FAULTS),
  ];
}

function printResult(result: {
  location: string;
  full: boolean;
  seconds: number;
  manifest: Manifest | undefined;
  faults: readonly Fault[];
}): void {
  const { location, full, seconds, manifest, faults } = result;
  const document = {
    ok: faults.length === 0,
    location,
    backupId: manifest?.backupId ?? null,
    full,
    files: manifest?.totals.files ?? null,
    storedBytes: manifest?.totals.storedBytes ?? null,
    seconds,
    faults,
  };
  process.stdout.write(`${JSON.stringify(document)}\n`);
}
