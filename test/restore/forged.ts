import { createHash } from 'node:crypto';
import { crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { BUCKET } from '../e2e/world.ts';
import { folder, put, world } from './kept-backup.ts';

type Entry = {
  key: string;
  name: string;
  dumpedBytes: number;
  storedBytes: number;
  sha256: string;
  crc32: string;
};

/**
 * Changes the content of a file of the backup, as an attacker who may write to the bucket does: the
 * manifest agrees with it. With `agrees: false` only the object changes.
 */
export async function forge(
  name: RegExp,
  change: (content: string) => string,
  { agrees = true, of = folder }: { agrees?: boolean; of?: string } = {},
): Promise<string> {
  const manifestKey = `${of}manifest.json`;
  const manifest = JSON.parse(String(await world.s3.readObject(BUCKET, manifestKey))) as {
    files: Entry[];
    totals: { dumpedBytes: number; storedBytes: number };
  };
  const entry = manifest.files.find((file) => name.test(file.name));
  if (entry === undefined) throw new Error(`the backup has no file like ${name}`);
  const before = zstdDecompressSync(await world.s3.readObject(BUCKET, entry.key));
  const content = Buffer.from(change(before.toString('latin1')), 'latin1');
  const stored = zstdCompressSync(content);
  await put(entry.key, stored);
  if (!agrees) return entry.key;
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(crc32(stored));
  manifest.totals.dumpedBytes += content.byteLength - entry.dumpedBytes;
  manifest.totals.storedBytes += stored.byteLength - entry.storedBytes;
  Object.assign(entry, {
    dumpedBytes: content.byteLength,
    storedBytes: stored.byteLength,
    sha256: createHash('sha256').update(content).digest('hex'),
    crc32: crc.toString('base64'),
  });
  await put(manifestKey, JSON.stringify(manifest));
  return entry.key;
}
